// Starts a BMC in the directory that it is told, says its port, and stays.
import { startBmc } from '../../src/bmc/bmc.ts'

const bmc = await startBmc({
  name: 'alone',
  dir: process.argv[2] ?? '',
  chassis: {
    power: () => 'on',
    isLost: () => false,
    set: async () => {},
    bootDevice: () => 'none',
    setBootDevice: () => {},
    connectConsole: async () => undefined,
  },
})
process.stdout.write(`${bmc.port}\n`)
setInterval(() => {}, 60_000)
