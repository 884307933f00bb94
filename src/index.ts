export { Ansible } from './ansible/ansible.ts'
export type { PlaybookOptions } from './ansible/arguments.ts'
export type {
  AnsibleEvent,
  HostStats,
  TaskDiff,
  TaskEvent,
  TaskResult,
  TaskStatus,
} from './ansible/events.ts'
export type { InventoryFormat } from './ansible/export.ts'
export { ModuleRun } from './ansible/module-run.ts'
export type { ModuleArguments, PlayOptions, RoleOptions, Task } from './ansible/plays.ts'
export {
  AnsibleRun,
  type HandlerNotification,
  type NoneChosen,
  type PlayRun,
  type TaskItem,
  type TaskRun,
} from './ansible/run.ts'
export type { TaskActions } from './ansible/task-actions.ts'
export type { VaultOptions } from './ansible/vault.ts'
export type { BmcConnection } from './bmc/bmc.ts'
export type { BoardOption } from './board-option.ts'
export { isRaspiError, RaspiError, type RaspiErrorKind } from './errors.ts'
export type { GuestNic } from './freeze/guest-networks.ts'
export type { ImageOption } from './image-option.ts'
export type { GpioPin } from './machine/gpio.ts'
export type { Hardware } from './machine/hardware.ts'
export type { CaptureOptions, CaptureResult } from './network/capture.ts'
export type { FaultInput, FaultName } from './network/fault-options.ts'
export type { Frame, FrameFilter } from './network/frames.ts'
export type { PortStatistics } from './network/statistics.ts'
export { Checkpoint } from './pi/checkpoint.ts'
export type { PiConnection } from './pi/connection.ts'
export type { Fault } from './pi/fault.ts'
export type { CardLimits, PiFaults } from './pi/faults.ts'
export type { Network, NetworkCapture } from './pi/network.ts'
export { Pi } from './pi/pi.ts'
export type { Power, PowerOptions, PowerState } from './pi/power.ts'
export type { Deployment, DeployOptions, Provision, ProvisionState } from './pi/provision.ts'
export type { CommandOptions, CommandResult } from './pi/ssh.ts'
export type { PrepareOption } from './prepare/options.ts'
export { expect } from './vitest/expect.ts'
export { type RaspiFixtures, raspiTest, test } from './vitest/fixtures.ts'
export { type MoleculeOptions, moleculeScenario } from './vitest/molecule-scenario.ts'
export type * from './vitest/pi-matchers/expectations.ts'
export type { PiMatchers } from './vitest/pi-matchers/pi-matchers.ts'
export type { RunMatchers } from './vitest/run-matchers.ts'
export type {
  AnsibleOptions,
  CommonTestOptions,
  HostOptions,
  InventoryTestOptions,
  NetworkOptions,
  RaspiTestOptions,
} from './vitest/test-options.ts'
export { type PlaybookCheck, type VerifyOptions, verifyPlaybook } from './vitest/verify-playbook.ts'
