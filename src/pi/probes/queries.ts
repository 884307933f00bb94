/** Each kind of question that `probe.py` answers, and its answer. */
interface Probes {
  /** A file of any type, and where `content` is true what a regular file holds. */
  file: { query: { path: string; content?: boolean }; answer: FileAnswer }
  /** What the files hold that the glob patterns match; `null` for one that may not be read. */
  texts: { query: { patterns: string[] }; answer: { texts: Record<string, string | null> } }
  /** How a command ended, run as it is, without a shell; `cut` where it printed more than is carried. */
  command: {
    query: { command: string[] }
    answer: { exitCode: number; stdout: string; stderr: string; cut?: boolean }
  }
  /** A systemd unit, by its full name. */
  unit: { query: { name: string }; answer: UnitAnswer }
  /** Every systemd unit that has failed. */
  failedUnits: { query: object; answer: { units: UnitAnswer[] } }
  /** A Debian package; `versions` are compared by `dpkg --compare-versions`. */
  package: {
    query: { name: string; versions?: [operator: string, version: string][] }
    answer: PackageAnswer
  }
  /** Who listens; of every port, so that an answer can tell what is there instead. */
  port: {
    query: { port: number; protocol: 'tcp' | 'udp'; process: boolean }
    answer: { listeners: Listener[] }
  }
  /** A user as the name service knows it, and where `keys` is true its `~/.ssh/authorized_keys`. */
  user: { query: { name: string; keys?: boolean }; answer: UserAnswer }
  group: { query: { name: string }; answer: GroupAnswer }
  /** The answer to one HTTP request made by the Pi itself; `timeout` in seconds; redirects are not followed. */
  http: { query: HttpQuery; answer: HttpAnswer }
}

export interface FileAnswer {
  exists: boolean
  /** What the path itself is: 'file', 'directory', 'link', 'socket', 'pipe', … */
  type?: string
  /** What a link points to, as written. */
  target?: string
  /** The path is a link, and there is nothing where it points to. */
  dangling?: boolean
  /** The permissions of what the path leads to, four octal digits; so are owner and all that follows. */
  mode?: string
  owner?: string
  uid?: number
  group?: string
  gid?: number
  size?: number
  content?: string
  /** Where nothing exists: the nearest directory that does, the first names in it, and how many more there are. */
  parent?: string
  siblings?: string[]
  more?: number
}

/** Properties of a unit as `systemctl show` names them. */
export interface UnitAnswer {
  Id: string
  LoadState: string
  ActiveState: string
  SubState: string
  /** Empty where the unit has no file. */
  UnitFileState?: string
  Result?: string
  ExecMainStatus?: string
  /** When it last became active, in ms since the epoch by the Pi's clock. Absent where it never did. */
  startedAt?: number
  /** What a timer starts. */
  Unit?: string
  /** Each `OnCalendar=` of a timer. */
  calendar: string[]
  /** The last lines a failed unit logged. */
  log?: string
  /** Where there is no such unit: others with a like name. */
  similar?: string[]
}

export interface PackageAnswer {
  /** dpkg's: 'installed', 'not-installed', 'config-files', 'half-configured', … */
  status: string
  version?: string
  /** For each comparison that was asked, whether it holds. */
  satisfied?: boolean[]
  /** Where it isn't installed: others with a like name, and their versions. */
  similar?: string[]
}

export interface Listener {
  protocol: 'tcp' | 'udp'
  address: string
  port: number
  /** Names of the processes and of their programs. Absent where nothing asked for it; empty where the process can't be seen. */
  processes?: string[]
}

interface UserAnswer {
  exists: boolean
  uid?: number
  /** The primary group. */
  group?: string
  /** All groups, also the primary one. */
  groups?: string[]
  shell?: string
  home?: string
  keys?: string[]
  /** Where there is no such user: the others, without the system's own. */
  others?: string[]
}

interface GroupAnswer {
  exists: boolean
  gid?: number
  /** Also those whose primary group it is. */
  members?: string[]
  others?: string[]
}

interface HttpQuery {
  url: string
  method: string
  headers: Record<string, string>
  body?: string
  timeout: number
  insecure: boolean
  /** Whether the whole body is wanted: it is refused then where it is too long. @default false */
  content?: boolean
}

interface HttpAnswer {
  status?: number
  /** By lower-case name. */
  headers?: Record<string, string>
  body?: string
  /** Why there was no answer. */
  failure?: string
}

type ProbeKind = keyof Probes

/** A question about a Pi. */
export type Query<K extends ProbeKind = ProbeKind> = { [P in K]: { kind: P } & Probes[P]['query'] }[K]

/** The answer to a query of kind `K`, and whether it was given with root's rights. */
export type Answer<K extends ProbeKind = ProbeKind> = { [P in K]: Probes[P]['answer'] & { root: boolean } }[K]

/** The answers to a list of queries, in its order. */
export type AnswersTo<Q extends readonly Query[]> = { -readonly [I in keyof Q]: Answer<Q[I]['kind']> }
