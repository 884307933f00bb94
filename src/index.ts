export { Ansible } from './ansible/ansible.ts'
export type { PlaybookOptions } from './ansible/arguments.ts'
export type { AnsibleEvent, TaskStatus } from './ansible/events.ts'
export {
  AnsibleRun,
  type HandlerNotification,
  type PlayRun,
  type TaskItem,
  type TaskRun,
} from './ansible/run.ts'
export { isRaspiError, RaspiError, type RaspiErrorKind } from './errors.ts'
export type { GpioPin } from './machine/gpio.ts'
export { Checkpoint } from './pi/checkpoint.ts'
export type { PiConnection } from './pi/connection.ts'
export { Pi } from './pi/pi.ts'
export type { CommandOptions, CommandResult } from './pi/ssh.ts'
export type { PrepareOption } from './prepare/options.ts'
export { expect } from './vitest/expect.ts'
export {
  type HostOptions,
  type RaspiFixtures,
  type RaspiTestOptions,
  raspiTest,
  test,
} from './vitest/fixtures.ts'
export type { PiMatchers } from './vitest/pi-matchers/pi-matchers.ts'
export type { RunMatchers } from './vitest/run-matchers.ts'
