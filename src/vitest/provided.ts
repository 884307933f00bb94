import type { ResolvedOptions } from '../options.ts'
import type { AccountArtifact } from '../report/account.ts'
import type { EvidencePlace } from '../report/evidence-dir.ts'
import type { EvidenceArtifact, RaspiMeta } from '../report/meta.ts'
import type { RunPlace } from '../report/run-place.ts'
import type { ReplacedVariable } from './own-variables.ts'

/** What the main process tells the workers. */
export interface ProvidedLab {
  /** The lab's unix socket. */
  socket: string
  /** The directory of the Vitest project, where playbooks and ansible.cfg are looked for. */
  projectDir: string
  /** The run's own directory, for what workers write. */
  runDir: string
  /** Variables of the user's environment that Vitest has replaced in the workers. */
  replaced: ReplacedVariable[]
}

/** All that the plugin provides. */
export interface ProvidedRaspi {
  raspiOptions: ResolvedOptions
  raspiLab: ProvidedLab
  raspiEvidence: EvidencePlace
}

declare const evidenceKey: unique symbol
declare const accountKey: unique symbol

declare module 'vitest' {
  interface ProvidedContext extends ProvidedRaspi {}

  interface TaskMeta {
    raspi?: RaspiMeta
    /** Of test files. */
    raspiRun?: RunPlace
  }

  interface TestArtifactRegistry {
    [evidenceKey]: EvidenceArtifact
    [accountKey]: AccountArtifact
  }
}
