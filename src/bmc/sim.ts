import { execa } from 'execa'
import { createDebug } from 'obug'
import { RaspiError } from '../errors.ts'
import { dieWithParent } from '../host/process.ts'
import { lanConf, type SimConfig, simFiles } from './config.ts'
import { type ConnectConsole, ConsoleBridge } from './console-bridge.ts'
import { askGuid, giveBack, takePort } from './port.ts'
import { nobody, type SimDir } from './sim-dir.ts'

const debug = createDebug('raspi:bmc')

/** How long ipmi_sim may take until it answers, in ms. On an idle host it takes 30. */
const startMs = 20_000

/** How many ports are tried. */
const mostPorts = 5

/** How much is kept of what ipmi_sim says. */
const keptCharacters = 2_000

/** One ipmi_sim and its way to the console. */
export interface Sim {
  port: number
  /** Settles when it has ended, with what it said last. Never rejects. */
  ended: Promise<string>
  /** Ends it, and gives the port back. */
  end(): Promise<void>
}

/** What one is started with. */
export interface SimSpec extends Pick<SimConfig, 'guid' | 'user' | 'password'> {
  program: string
  dir: SimDir
  connectConsole: ConnectConsole
  signal?: AbortSignal | undefined
  /** Gives a port to try. @default one that nobody has */
  choosePort?: (() => Promise<number>) | undefined
}

/** Starts ipmi_sim on a free port and gives it once it answers there, and nobody else does. Throws a `RaspiError` of kind `lab`. */
export async function startSim(spec: SimSpec): Promise<Sim> {
  let why = ''
  for (let tries = 0; tries < mostPorts; tries++) {
    const tried = await tryPort(spec, await (spec.choosePort ?? takePort)())
    if (typeof tried !== 'string') return tried
    why = tried
  }
  throw new RaspiError('lab', `ipmi_sim found no free port in ${mostPorts} tries: ${why}`)
}

/** Gives the sentence that tells why where the port is another's. */
async function tryPort(spec: SimSpec, port: number): Promise<Sim | string> {
  const { dir, guid, signal } = spec
  const bridge = await ConsoleBridge.open(spec.connectConsole)
  const gone = new AbortController()
  const late = AbortSignal.timeout(startMs)
  let sim: Process | undefined
  const end = async () => {
    sim?.kill()
    await sim?.ended
    bridge.close()
    giveBack(port)
  }
  try {
    dir.write(simFiles.config, lanConf({ ...spec, port, consolePort: bridge.port }))
    sim = run(spec)
    const { ended } = sim
    void ended.then(() => {
      bridge.close()
      gone.abort()
    })
    const answer = await askGuid(port, AbortSignal.any([gone.signal, late, ...(signal ? [signal] : [])]))
    if (answer === guid) return { port, ended, end }
    await end()
    return `a BMC that is not ours answers on port ${port}.`
  } catch (error) {
    const endedByItself = gone.signal.aborted
    await end()
    signal?.throwIfAborted()
    if (late.aborted) throw new RaspiError('lab', `ipmi_sim does not answer within ${startMs / 1000} s`)
    if (!endedByItself) throw error
    const said = await sim?.ended
    if (portIsTaken.test(said ?? '')) return `port ${port} is taken.`
    throw new RaspiError('lab', `ipmi_sim ended as soon as it was started: ${said || 'it does not say why'}`)
  }
}

/** What ipmi_sim says where it cannot have its port. */
const portIsTaken = /Unable to bind to LAN port: Address already in use/

interface Process {
  ended: Promise<string>
  kill: () => void
}

function run({ program, dir }: SimSpec): Process {
  const args = ['-c', simFiles.config, '-f', simFiles.commands, '-n', '-p']
  const dying = dieWithParent(program, args)
  // The kernel forgets who dies with whom where a process changes its user, so that comes first.
  const asNobody = [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', '--', dying[0], ...dying[1]]
  const [file, words] = dir.isNobodys ? (['setpriv', asNobody] as const) : dying
  debug('%s %o', file, words)
  const subprocess = execa(file, words, {
    ...{ cwd: dir.path, stdin: 'ignore', stdout: 'ignore', stderr: 'pipe', buffer: false, reject: false },
    // What the user has in the environment is none of its business.
    ...{ env: { PATH: process.env.PATH, LC_ALL: 'C' }, extendEnv: false },
  })
  let said = ''
  subprocess.stderr.setEncoding('utf8').on('data', (text: string) => {
    debug('%s', text)
    said = `${said}${text}`.slice(-keptCharacters)
  })
  const ended = subprocess.then(({ signal, originalMessage }) => {
    const words = said.trim().replace(/\s*\n\s*/g, '; ')
    return words || (signal ? `killed by ${signal}` : (originalMessage ?? ''))
  })
  return { ended, kill: () => subprocess.kill('SIGKILL') }
}
