import type { UnitAnswer } from '../../pi/probes/queries.ts'
import { wrongArgument } from '../matcher-arguments.ts'
import { piMatcher } from './pi-matcher.ts'
import {
  type Check,
  type Detail,
  flag,
  including,
  judge,
  list,
  matches,
  type Pattern,
  value,
} from './verdict.ts'

/** What `toHaveService` may expect of a systemd unit. */
export interface ServiceExpectation {
  /** It is active now. */
  running?: boolean
  /** It is started at boot. A static unit, which can't be enabled, is not. */
  enabled?: boolean
  /** It can't be started at all. */
  masked?: boolean
  /** It is active, and was started after this moment, by the Pi's clock. A reload is no start. */
  restartedSince?: Date
}

/** What `toHaveTimer` may expect of a systemd timer. */
export interface TimerExpectation {
  /** It waits for its time. */
  active?: boolean
  /** It is started at boot. */
  enabled?: boolean
  /** The unit it starts: 'backup.service'. */
  unit?: string
  /** Its times, as `systemd-analyze calendar` normalises them: '*-*-* 06:00:00'. It may have others too. */
  calendar?: string
}

/** What `toHaveNoFailedUnits` may overlook. */
export interface FailedUnitsOptions {
  /** Units that may have failed: a name without an ending is a service; or expressions that match their full names. */
  except?: readonly Pattern[]
}

export const toHaveService = piMatcher('toHaveService', {
  options: ['running', 'enabled', 'masked', 'restartedSince'],
  queries: (name: string, { restartedSince }: ServiceExpectation = {}) => {
    if (restartedSince !== undefined && !isMoment(restartedSince))
      throw wrongArgument('toHaveService', 'restartedSince is no valid date', 'Give a Date: new Date().')
    return [{ kind: 'unit', name: unitName(name, 'service') }]
  },
  judge: ([unit], _name, expected: ServiceExpectation = {}) =>
    judge(
      there(unit, 'service'),
      [
        flag('running', expected.running, isActive(unit), states(unit)),
        flag('enabled', expected.enabled, isEnabled(unit), unit.UnitFileState || 'no unit file'),
        flag('masked', expected.masked, isMasked(unit)),
        restarted(expected.restartedSince, unit),
      ],
      evidence(unit),
    ),
})

export const toHaveTimer = piMatcher('toHaveTimer', {
  options: ['active', 'enabled', 'unit', 'calendar'],
  queries: (name: string, _expected: TimerExpectation = {}) => [
    { kind: 'unit', name: unitName(name, 'timer') },
  ],
  judge: ([unit], _name, expected: TimerExpectation = {}) =>
    judge(
      there(unit, 'timer'),
      [
        flag('active', expected.active, isActive(unit), states(unit)),
        flag('enabled', expected.enabled, isEnabled(unit), unit.UnitFileState || 'no unit file'),
        value('unit', expected.unit, unit.Unit),
        including(
          'calendar',
          expected.calendar === undefined ? undefined : [expected.calendar],
          unit.calendar,
        ),
      ],
      evidence(unit),
    ),
})

export const toHaveNoFailedUnits = piMatcher('toHaveNoFailedUnits', {
  options: ['except'],
  queries: (_options: FailedUnitsOptions = {}) => [{ kind: 'failedUnits' }],
  judge: ([{ units }], { except = [] }: FailedUnitsOptions = {}) => {
    const excepted = except.map((one) => (typeof one === 'string' ? unitName(one, 'service') : one))
    const failed = units.filter(({ Id }) => !excepted.some((one) => matches(one, Id)))
    const names = failed.map((unit) => unit.Id).join(', ')
    return judge(
      {
        there: failed.length === 0,
        wanted: 'no failed unit',
        found: names || 'no failed unit',
        none: 'a failed unit',
      },
      [],
      failed.flatMap(evidence),
    )
  },
})

const unitName = (name: string, suffix: string) => (/\.[a-z]+$/.test(name) ? name : `${name}.${suffix}`)

function there(unit: UnitAnswer, kind: string) {
  const none = `no such ${kind}`
  const exists = unit.LoadState !== 'not-found'
  const found = exists ? `${unit.Id}: ${states(unit)}, ${unit.UnitFileState || 'no unit file'}` : none
  return { there: exists, wanted: `a ${kind}`, found, none }
}

const isMoment = (since: unknown) => since instanceof Date && !Number.isNaN(since.getTime())

const states = ({ ActiveState, SubState }: UnitAnswer) => [...new Set([ActiveState, SubState])].join(', ')

// The states that `systemctl is-active` counts as active.
const isActive = ({ ActiveState }: UnitAnswer) => ['active', 'reloading', 'refreshing'].includes(ActiveState)

const isEnabled = ({ UnitFileState = '' }: UnitAnswer) =>
  ['enabled', 'enabled-runtime', 'alias', 'generated'].includes(UnitFileState)

const isMasked = ({ LoadState, UnitFileState = '' }: UnitAnswer) =>
  LoadState === 'masked' || UnitFileState.startsWith('masked')

function restarted(since: Date | undefined, unit: UnitAnswer): Check | undefined {
  if (since === undefined) return undefined
  const { startedAt } = unit
  const running = isActive(unit) && startedAt !== undefined
  return {
    expected: `restarted since ${since.toISOString()}`,
    received: running ? `started at ${new Date(startedAt).toISOString()}` : `not running (${states(unit)})`,
    pass: running && startedAt > since.getTime(),
  }
}

function evidence(unit: UnitAnswer): Detail[] {
  const result = unit.Result === 'exit-code' ? `exit code ${unit.ExecMainStatus}` : unit.Result
  return [
    ...list(`${unit.Id} failed (${result}), its last lines`, unit.log?.trimEnd().split('\n')),
    ...list('Units with a like name', unit.similar),
  ]
}
