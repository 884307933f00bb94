import type { Model } from './models.ts'

/** What a filter of config.txt comes to. */
export interface Filter {
  /** A filter replaces the one before it of the same type and adds to those of others. None: it changes nothing. */
  type?: string
  holds: boolean
  /** Where it would hold on some real Pi: why not here. */
  note?: string
}

/** The filters that the firmware knows by name; any other it ignores: https://github.com/raspberrypi/firmware/issues/1839 */
const modelFilters = new Set('pi0 pi0w pi02 pi1 pi2 pi3 pi3+ pi4 pi400 pi5 pi500 cm0 cm4 cm4s cm5'.split(' '))

/**
 * What the filter `text` (without brackets; not `all`) comes to on an emulated `model` with nothing plugged in.
 * https://www.raspberrypi.com/documentation/computers/config_txt.html#conditional-filters
 */
export function filterOf(text: string, model: Model): Filter {
  // Distributions write [PI3] and [ALL], and the firmware takes them.
  const name = text.toLowerCase()
  if (name === 'none') return { type: 'model', holds: false }
  if (modelFilters.has(name)) return { type: 'model', holds: model.filters.includes(name) }

  const [, key, value] = /^([a-z_-]+?\d*)(?:[=:](.*))?$/.exec(name) ?? []
  if (key === 'board-type') return { type: 'model', holds: Number(value) === model.boardType }
  if (key === 'edid') return { type: 'edid', holds: false, note: 'an emulated Pi has no monitor' }
  if (key === 'hdmi') return { type: 'hdmi', holds: true }
  if (key === 'tryboot') return { type: 'tryboot', holds: false, note: 'the tryboot flag is not emulated' }
  if (/^0x[0-9a-f]+$/.test(name))
    return { type: 'serial', holds: false, note: 'an emulated Pi has no serial number' }

  const pin = /^gpio(\d+)$/.exec(key ?? '')?.[1]
  if (pin !== undefined) {
    // A free pin reads as it is pulled at power-on: BCM2835 ARM Peripherals, section 6.2,
    // https://datasheets.raspberrypi.com/bcm2835/bcm2835-peripherals.pdf
    const level = Number(pin) <= 8 ? 1 : 0
    return {
      type: 'gpio',
      holds: Number(value) === level,
      note: `nothing is connected to the pin, it reads ${level}`,
    }
  }
  return { holds: true, note: 'the firmware does not know this filter and ignores it' }
}
