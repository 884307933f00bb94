import type { HostContext } from '../../../src/host/context.ts'
import { StandingLabs } from '../../../src/standing/client.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { fakeHost } from '../host/fake-host.ts'

/** A host on which no lab stands yet, for one test, and what finds labs there. */
export function standingContext(): { context: HostContext; labs: StandingLabs } {
  const { context } = fakeHost()
  context.env = { ...context.env, XDG_RUNTIME_DIR: scratchDir() }
  return { context, labs: new StandingLabs(context.env) }
}
