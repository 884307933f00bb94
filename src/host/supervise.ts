import { platform } from 'node:os'
import { fileURLToPath } from 'node:url'
import { execa, type Options, type ResultPromise } from 'execa'

const supervisor = fileURLToPath(new URL('./supervise.py', import.meta.url))

/**
 * Starts a command that forks (ansible-playbook, mmdebstrap) so that nothing it started outlives it, this process, or
 * the abort of `options.cancelSignal`: SIGTERM first, SIGKILL a second later; SIGKILL at once where this process died.
 * Options and result are execa's. Linux only; elsewhere the command runs as a plain child.
 */
export function supervise<O extends Options>(
  file: string,
  args: readonly string[],
  options: O,
): ResultPromise<O> {
  const patient = { ...options, forceKillAfterDelay: 3_000 }
  const subprocess =
    platform() === 'linux'
      ? execa('python3', [supervisor, String(process.pid), file, ...args], patient)
      : execa(file, [...args], patient)
  return subprocess as unknown as ResultPromise<O>
}
