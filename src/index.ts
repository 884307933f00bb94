import { expect as vitestExpect } from 'vitest'

export { Ansible } from './ansible/ansible.ts'
export { isRaspiError, RaspiError, type RaspiErrorKind } from './errors.ts'
export type { PiConnection } from './pi/connection.ts'
export { Pi } from './pi/pi.ts'
export type { CommandOptions, CommandResult } from './pi/ssh.ts'
export { type HostOptions, type RaspiFixtures, type RaspiTestOptions, raspiTest, test } from './vitest/fixtures.ts'
export const expect = vitestExpect
