import { RaspiError } from '../errors.ts'
import { clockScript } from '../freeze/guest-shell.ts'
import { type Fault, FaultsAtWork } from './fault.ts'
import type { CommandOptions, CommandResult } from './ssh.ts'

/** How fast a card may be at most. */
export interface CardLimits {
  /** Reading and writing together. @default as fast as it is */
  bytesPerSecond?: number
  /** Reads and writes together. @default as many as it does */
  operationsPerSecond?: number
}

/** What a Pi's machine is to be like from now on. No limits of its card take those away that there are. */
export type MachineFault = { hangs: boolean } | { card: CardLimits }

/** What {@link PiFaults} asks of the Pi and of its lab. */
export interface FaultControl {
  run(command: string, options?: CommandOptions): Promise<CommandResult>
  machine(fault: MachineFault): Promise<void>
}

const MiB = 1024 * 1024

/** Breaks a Pi as the field does. What was broken is mended at the test's end, at the latest. */
export class PiFaults {
  readonly #control: FaultControl
  readonly #atWork = new FaultsAtWork()

  /** @internal */
  constructor(control: FaultControl) {
    this.#control = control
  }

  /** Stands still from now on, as if its processor had stopped: it answers nothing, and its clock stops with it. */
  async hang(): Promise<Fault> {
    await this.#control.machine({ hangs: true })
    return this.#atWork.add('hangs', () => this.#control.machine({ hangs: false }))
  }

  /**
   * Makes its card slower. The emulated card makes the whole Pi wait, where a real one makes only those wait who use it. It
   * stays slow through boots and without power, and where the Pi goes back to a checkpoint: that is of what its card holds.
   * Throws a `RaspiError` where a limit is not positive, or there is none.
   * @example await pi.faults.slowCard({ bytesPerSecond: 200_000 })
   */
  async slowCard(limits: CardLimits): Promise<Fault> {
    const given = Object.entries(limits).filter(([, limit]) => limit !== undefined)
    if (given.length === 0 || given.some(([, limit]) => !(limit >= 1)))
      throw new RaspiError(
        'options',
        'slowCard() needs bytesPerSecond, operationsPerSecond or both, each at least 1.',
      )
    await this.#control.machine({ card: limits })
    return this.#atWork.add('its card is slow', () => this.#control.machine({ card: {} }))
  }

  /** Fills its root file system, for root too, but for `leaveMiB` (default 0): what writes then is told `No space left on device`. */
  async fullCard({ leaveMiB = 0 }: { leaveMiB?: number } = {}): Promise<Fault> {
    const script = [
      'read -r blocks size <<< "$(stat -f -c "%f %S" /)"',
      `want=$((blocks * size - ${Math.round(leaveMiB * MiB)}))`,
      // Its own metadata wants room as well.
      `until ((want <= 0)) || fallocate -l $want ${ballast} 2> /dev/null; do want=$((want - ${4 * MiB})); done`,
      ...(leaveMiB > 0 ? [] : [`cat /dev/zero >> ${ballast} 2> /dev/null`]),
      'sync',
    ]
    await this.#asRoot(script, 120_000)
    return this.#atWork.add('its card is full', () => this.#asRoot([`rm -f ${ballast}`, 'sync']))
  }

  /**
   * Has its kernel find an error on the card and make the root file system read-only, as it does where a card fails. Only a
   * power cycle mends that. https://docs.kernel.org/admin-guide/ext4.html (`errors=remount-ro`)
   */
  async readOnlyCard(): Promise<void> {
    await this.#asRoot([
      'mount -o remount,errors=remount-ro /',
      'device=$(readlink -f "/dev/block/$(mountpoint -d /)")',
      // https://docs.kernel.org/admin-guide/abi-testing.html, /sys/fs/ext4/<disk>/trigger_fs_error
      `echo injected > "/sys/fs/ext4/\${device##*/}/trigger_fs_error"`,
    ])
  }

  /**
   * Takes its memory, but for `leaveMiB`, so that nothing can get it back but the end of the fault. Throws a `RaspiError`
   * where `leaveMiB` is less than 16. Takes nothing where the Pi has no more than that left.
   */
  async memoryPressure({ leaveMiB }: { leaveMiB: number }): Promise<Fault> {
    if (!(leaveMiB >= 16))
      throw new RaspiError('options', 'memoryPressure() leaves at least 16 MiB: a Pi with less cannot run.')
    await this.#asRoot([
      'sync; echo 3 > /proc/sys/vm/drop_caches',
      'while read -r name value _; do [[ $name == MemAvailable: ]] && free=$((value / 1024)); done < /proc/meminfo',
      `want=$((free - ${Math.round(leaveMiB)})); ((want > 0)) || exit 0`,
      `mkdir -p ${hoard}; mount -t tmpfs -o size=$((want + 1))m tmpfs ${hoard}`,
      `fallocate -l "$want"M ${hoard}/memory`,
    ])
    // A boot has mended it, too.
    const mend = [`! mountpoint -q ${hoard} || umount ${hoard}`, `[ ! -d ${hoard} ] || rmdir ${hoard}`]
    return this.#atWork.add('its memory is short', () => this.#asRoot(mend))
  }

  /** Sets its clock forward by `seconds`, rounded to whole ones, or back where they are negative. Mended, it has the host's time. */
  async clockJump({ seconds }: { seconds: number }): Promise<Fault> {
    if (!Number.isFinite(seconds))
      throw new RaspiError('options', `clockJump({ seconds: ${seconds} }) is no time.`)
    await this.#asRoot([`date -u -s @$(($(date +%s) + ${Math.round(seconds)})) > /dev/null`])
    return this.#atWork.add('its clock is wrong', () => this.#asRoot([clockScript()]))
  }

  /** Mends all that is broken, but for a card that is read-only. Throws a `RaspiError` where some cannot be, after it has tried all. */
  clear(): Promise<void> {
    return this.#atWork.clear()
  }

  async #asRoot(script: readonly string[], timeoutMs = 60_000): Promise<void> {
    await this.#control.run('bash -s', { sudo: true, input: script.join('\n'), timeoutMs })
  }
}

const ballast = '/var/tmp/vitest-raspi-ballast'
const hoard = '/run/vitest-raspi-hoard'
