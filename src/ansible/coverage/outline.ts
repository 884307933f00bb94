import { isMap, isScalar, isSeq, LineCounter, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml'

/** A task or handler, as it is written. */
export interface OutlinedTask {
  /** The line it begins in, which is the one that Ansible reports. */
  line: number
  name: string
  handler: boolean
  /** Whether it has a `when` of its own. */
  conditional: boolean
}

/** A part of a block that runs only at times, by the lines of its tasks. */
export interface OutlinedPart {
  /** The line of the word `rescue` or `always`. */
  line: number
  kind: 'rescue' | 'always'
  tasks: number[]
}

/** A block with `when`, by the lines of the tasks that the condition is for. */
export interface OutlinedCondition {
  line: number
  tasks: number[]
}

/** What of a file can run. */
export interface Outline {
  tasks: OutlinedTask[]
  parts: OutlinedPart[]
  /** Blocks with `when`; tasks with one tell of it themselves. */
  conditions: OutlinedCondition[]
  /** The lists of tasks that it includes or imports by a fixed name, as they are written. */
  lists: string[]
}

/** Tasks that Ansible reports nothing of: what is imported is put in their place, and `meta` has no result. */
const silent = /^(?:ansible\.(?:builtin|legacy)\.)?(?:import_tasks|import_role|import_playbook|meta)$/

/** Keys of a task that are not its module. */
const keywords = new Set([
  ...['action', 'any_errors_fatal', 'args', 'async', 'become', 'become_exe', 'become_flags', 'become_method'],
  ...['become_user', 'changed_when', 'check_mode', 'collections', 'connection', 'debugger', 'delay'],
  ...['delegate_facts', 'delegate_to', 'diff', 'environment', 'failed_when', 'ignore_errors'],
  ...[
    'ignore_unreachable',
    'listen',
    'local_action',
    'loop',
    'loop_control',
    'module_defaults',
    'name',
    'no_log',
  ],
  ...[
    'notify',
    'poll',
    'port',
    'register',
    'remote_user',
    'retries',
    'run_once',
    'tags',
    'throttle',
    'timeout',
  ],
  ...['until', 'vars', 'when'],
])

/**
 * Reads what of a YAML file can run: a playbook's plays, or, where `list` says what it is, a list of tasks or handlers.
 * `undefined` where it is neither, or no YAML: that is Ansible's to tell.
 */
export function outlineOf(text: string, list?: 'tasks' | 'handlers'): Outline | undefined {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, logLevel: 'silent' })
  const content: unknown = document.contents
  if (document.errors.length > 0 || !isSeq(content)) return undefined
  const outline: Outline = { tasks: [], parts: [], conditions: [], lists: [] }
  const reader = new Reader(outline, lines)
  if (list) {
    reader.tasks(content, list === 'handlers')
    return outline
  }
  const plays = content.items.filter((item) => isMap(item))
  if (!plays.some((play) => play.has('hosts') || play.items.some(({ key }) => isImport(key))))
    return undefined
  for (const play of plays) {
    for (const part of ['pre_tasks', 'tasks', 'post_tasks', 'handlers']) {
      const tasks = play.get(part)
      if (isSeq(tasks)) reader.tasks(tasks, part === 'handlers')
    }
  }
  return outline
}

const isImport = (key: unknown) => /^(ansible\.builtin\.)?import_playbook$/.test(String(key))

class Reader {
  readonly #outline: Outline
  readonly #lines: LineCounter

  constructor(outline: Outline, lines: LineCounter) {
    this.#outline = outline
    this.#lines = lines
  }

  /** Takes up a list of tasks and gives the lines of all that are in it, also in blocks. */
  tasks(list: YAMLSeq, handler: boolean): number[] {
    return list.items
      .filter((item) => isMap(item))
      .flatMap((item) => {
        if (item.has('block')) return this.#block(item, handler)
        const module = moduleOf(item)
        this.#refer(item)
        if (module === undefined || silent.test(module)) return []
        const line = this.#line(item)
        const name = item.get('name')
        this.#outline.tasks.push({
          line,
          name: typeof name === 'string' ? name : module,
          handler,
          conditional: item.has('when'),
        })
        return [line]
      })
  }

  #refer(task: YAMLMap): void {
    for (const { key, value } of task.items) {
      if (!/^(?:ansible\.builtin\.)?(?:import|include)_tasks$/.test(String(key))) continue
      const file = isMap(value) ? value.get('file') : isScalar(value) ? value.value : undefined
      if (typeof file === 'string' && !file.includes('{{')) this.#outline.lists.push(file.trim())
    }
  }

  #block(block: YAMLMap, handler: boolean): number[] {
    const inner = block.get('block')
    const main = isSeq(inner) ? this.tasks(inner, handler) : []
    const others = (['rescue', 'always'] as const).flatMap((kind) => {
      const pair = block.items.find(({ key }) => isScalar(key) && key.value === kind)
      if (!pair || !isSeq(pair.value)) return []
      const tasks = this.tasks(pair.value, handler)
      if (tasks.length > 0) this.#outline.parts.push({ line: this.#line(pair.key), kind, tasks })
      return tasks
    })
    if (block.has('when') && main.length > 0)
      this.#outline.conditions.push({ line: this.#line(block), tasks: main })
    return [...main, ...others]
  }

  #line(node: unknown): number {
    const [start = 0] = (node as YAMLMap).range ?? []
    return this.#lines.linePos(start).line
  }
}

function moduleOf(task: YAMLMap): string | undefined {
  const keys = task.items.map(({ key }) => (isScalar(key) ? String(key.value) : ''))
  const module = keys.find((key) => key && !keywords.has(key) && !key.startsWith('with_'))
  if (module !== undefined) return module
  const action = task.get('action') ?? task.get('local_action')
  if (isMap(action)) return String(action.get('module'))
  return typeof action === 'string' ? action.split(/\s/)[0] : undefined
}
