import { Listr, type ListrTaskWrapper } from 'listr2'
import { messageOf } from '../errors.ts'
import { duration } from '../host/progress.ts'
import type { Output } from './output.ts'

/** Who is told how `up` comes along. */
export interface UpProgress {
  line(text: string): void
  claimed(names: string[]): void
  /** Told of a Pi that is up, or there without power: then no time is told. */
  up(name: string, startMs: number | undefined): void
}

/** Shows how `work` comes along: as a list that moves where somebody watches it, as whole lines elsewhere. */
export async function showProgress<T>(
  output: Output,
  moving: boolean,
  work: (progress: UpProgress) => Promise<T>,
): Promise<T> {
  return moving ? showList(work) : work(lines(output))
}

function lines({ err }: Output): UpProgress {
  return {
    line: err,
    claimed: (names) => err(`Starting ${names.join(', ')} …`),
    up: (name, startMs) => err(arrival(name, startMs)),
  }
}

const arrival = (name: string, startMs: number | undefined) =>
  startMs === undefined ? `${name} is there, without power` : `${name} is up after ${duration(startMs)}`

/** The list: one line for each Pi once their names are known, and what is made for all of them below the first line. */
async function showList<T>(work: (progress: UpProgress) => Promise<T>): Promise<T> {
  const names = Promise.withResolvers<string[]>()
  const pis = new Map<string, PromiseWithResolvers<number | undefined>>()
  let heading: ListrTaskWrapper<unknown, never, never> | undefined
  const result = work({
    line: (text) => {
      if (heading) heading.output = text
    },
    claimed: (chosen) => {
      for (const name of chosen) pis.set(name, Promise.withResolvers())
      names.resolve(chosen)
    },
    up: (name, startMs) => pis.get(name)?.resolve(startMs),
  })
  const failed = result.then(
    () => new Promise<never>(() => {}),
    (error) => {
      throw new Error(messageOf(error).split('\n')[0])
    },
  )
  failed.catch(() => {})
  const list = new Listr(
    [
      {
        title: 'Starting Pis',
        task: async (_, task) => {
          heading = task as unknown as typeof heading
          const chosen = await Promise.race([names.promise, failed])
          return task.newListr(
            chosen.map((name) => ({
              title: name,
              task: async (_, pi) => {
                const arrived = pis.get(name)?.promise.then((startMs) => arrival(name, startMs))
                // Whoever has not come when all is done was taken down.
                const missed = result.then(() => `${name} was taken down`)
                pi.title = (await Promise.race([arrived, failed, missed])) ?? name
              },
            })),
            { concurrent: true, rendererOptions: { collapseSubtasks: false } },
          )
        },
      },
    ],
    { concurrent: true, exitOnError: true, registerSignalListeners: false },
  )
  // What has failed is told once, by who runs the command.
  await list.run().catch(() => {})
  return result
}
