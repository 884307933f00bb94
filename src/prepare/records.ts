import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import * as z from 'zod'
import { scratchName } from '../host/scratch.ts'

/** What was last used for a preparation of a project: only for saying what has changed since. */
export const recordSchema = z.object({
  ansible: z.string(),
  environment: z.string(),
  parents: z.array(z.string()),
  inputs: z.record(z.string(), z.string()),
})
export type LayerRecord = z.output<typeof recordSchema>

/** The names of what a playbook was seen to read besides Ansible's own places. */
export const namesSchema = z.array(z.string())

/** Reads a file of JSON; `undefined` where there is none, or none that is understood: it is made anew then. */
export async function readRecord<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    return schema.safeParse(JSON.parse(await readFile(path, 'utf8'))).data
  } catch {
    return undefined
  }
}

/** Writes a file of JSON, whole or not at all. */
export async function writeRecord(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const scratch = `${path}.${scratchName('new')}`
  await writeFile(scratch, JSON.stringify(value), { mode: 0o600 })
  await rename(scratch, path)
}
