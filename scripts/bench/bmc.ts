import { execa } from 'execa'
import { command, lease, withLab } from './lab.ts'
import { keep, median, type Results } from './results.ts'

/** How often the BMC is asked in a round. */
const questions = 20

/** How long ipmitool takes to tell whether a Pi has power, while all cores of that Pi are busy. */
export async function measureBmc(
  results: Results,
  rounds: number,
  say: (line: string) => void,
): Promise<void> {
  await withLab({ readyPis: 0 }, say, async (lab) => {
    const leased = await lease(lab, { pis: [{ name: 'pi', bmc: true }] })
    const bmc = leased.pis[0]?.bmc
    if (!bmc) throw new Error('The Pi has no BMC.')
    await command(leased, 'for i in 1 2 3 4; do (while :; do :; done) > /dev/null 2>&1 & done')
    const { host, port, user, password } = bmc
    const words = ['-I', 'lanplus', '-C', '3', '-H', host, '-p', String(port), '-U', user, '-P', password]
    for (let round = 0; round < rounds; round++) {
      for (let question = 0; question < questions; question++) {
        const started = performance.now()
        await execa('ipmitool', [...words, 'power', 'status'])
        keep(results, 'powerStatus', performance.now() - started)
      }
    }
    say(`powerStatus: ${Math.round(median(results.samples.powerStatus) ?? Number.NaN)} ms`)
  })
}
