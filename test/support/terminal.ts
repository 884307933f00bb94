import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'

/** A terminal with a shell in it, as a user has one: what is typed is seen, Ctrl-C interrupts, closing it hangs up. */
export class Terminal implements Disposable {
  readonly #child: ChildProcess
  #output = ''

  /** Opens it with just this environment. */
  constructor(env: NodeJS.ProcessEnv, cwd: string) {
    // script(1) of util-linux: a pseudo-terminal between our pipes and the shell.
    this.#child = spawn(
      'script',
      ['-qfec', 'stty cols 120 rows 40; exec bash --norc --noprofile -i', '/dev/null'],
      {
        cwd,
        stdio: ['pipe', 'pipe', 'ignore'],
        env: { ...env, PS1: '$ ', TERM: 'xterm-256color' },
      },
    )
    this.#child.stdin?.on('error', () => {})
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text
    })
  }

  /** All that it has shown, without colours and moves of the cursor. */
  get shown(): string {
    return stripVTControlCharacters(this.#output).replaceAll('\r', '')
  }

  /** All that it was sent, as it came. */
  get sent(): string {
    return this.#output
  }

  /** Types `line` and Enter. */
  type(line: string): void {
    this.#child.stdin?.write(`${line}\n`)
  }

  /** Presses Ctrl-C. */
  interrupt(): void {
    this.#child.stdin?.write('\x03')
  }

  /** Runs a command to its end; gives its exit code, and what it has shown. */
  async run(line: string, timeoutMs: number): Promise<{ code: number; shown: string }> {
    const from = this.shown.length
    // What is typed is shown as well, and must not look like the answer.
    this.type(`${line}; printf 'exit%s\\n' "=$?"`)
    const [, code] = await this.shows(/^exit=(\d+)$/m, timeoutMs, from)
    return { code: Number(code), shown: this.shown.slice(from) }
  }

  /** Waits until it has shown `pattern`, from the position `from` on. Throws with all that it has shown else. */
  async shows(pattern: RegExp, timeoutMs: number, from = 0): Promise<RegExpExecArray> {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const found = pattern.exec(this.shown.slice(from))
      if (found) return found
      if (performance.now() > deadline || this.#child.exitCode !== null)
        throw new Error(
          `The terminal did not show ${pattern} within ${timeoutMs / 1000} s; it showed:\n${this.shown}`,
        )
      await delay(50)
    }
  }

  /** Closes it, with the shell in it. */
  [Symbol.dispose](): void {
    this.#child.kill('SIGTERM')
  }
}
