import { execa } from 'execa'
import type { Pi } from 'vitest-raspi'
import { hasProgram } from './programs.ts'

/** Whether a Pi can have a BMC here, and ipmitool can talk to it. */
export const hasIpmi = hasProgram('ipmi_sim') && hasProgram('ipmitool')

/** ipmitool's words for the BMC of a Pi. */
export const bmcOf = ({ bmc }: Pi) =>
  ['-I', 'lanplus', '-C', '3', '-H', bmc?.host, '-p', bmc?.port, '-U', bmc?.user, '-P', bmc?.password].map(
    String,
  )

/** What ipmitool says; throws, with that, where it fails. */
export const ipmi = async (pi: Pi, ...command: string[]) =>
  (await execa('ipmitool', [...bmcOf(pi), ...command], { timeout: 30_000 })).stdout
