import { isAbsolute } from 'node:path'
import * as z from 'zod'
import { RaspiError } from '../errors.ts'
import { repositoryOf } from '../host/repository.ts'
import { optionObject, texts } from '../option-objects.ts'
import { sourcesOfInventory } from './sources.ts'

/** Every option about the passwords of vaults. */
export const vaultShape = {
  /** The file with the password of all vaults without an id. @default what ansible.cfg says */
  vaultPasswordFile: z.string().optional(),
  /** `label@file`, for vaults with an id. */
  vaultIds: texts.optional(),
}

const vaultSchema = optionObject(vaultShape)

/** Where Ansible finds the passwords of its vaults. Paths are relative to the project; a script is run, and prints it. */
export type VaultOptions = z.input<typeof vaultSchema>

/** The arguments of all of Ansible's programs that say where the passwords of vaults are. Throws where one would be asked for. */
export function vaultArguments({ vaultPasswordFile, vaultIds = [] }: VaultOptions): string[] {
  const ids = [vaultIds].flat()
  const prompt = ids.find((id) => /(^|@)prompt(_|$)/.test(id))
  if (prompt !== undefined) {
    throw new RaspiError(
      'options',
      `The vault id "${prompt}" asks for its password, and a test has nobody to ask.`,
      {
        hint: 'Name a file, or a script that prints it: `label@path`.',
      },
    )
  }
  return [
    ...(vaultPasswordFile === undefined ? [] : [`--vault-password-file=${vaultPasswordFile}`]),
    ...ids.map((id) => `--vault-id=${id}`),
  ]
}

/**
 * Where a run's vaults may lie besides its playbook's directory: the project, the repository that it is in, `more`, and what
 * an inventory of `sources` is made of. The nearest come first, because there is an end to what is searched.
 */
export function vaultPlaces(
  projectDir: string,
  more: readonly string[],
  sources: readonly string[],
): readonly string[] {
  // A list of hosts is no path.
  const { files, dirs } = sourcesOfInventory(sources.filter((source) => isAbsolute(source)))
  return [...new Set([projectDir, ...more, ...files, ...dirs, repositoryOf(projectDir)])]
}

/** What Ansible says where a vault's password is missing, or wrong. */
export const vaultProblem = /no vault secrets|Decryption failed|EOFError \(ctrl-d\) on prompt/

/** What to do about such a `problem`. */
export const vaultHint = (problem: string) =>
  /on prompt/.test(problem)
    ? 'A test has nobody to ask for the password of a vault: name a file, or a script that prints it, in vault_identity_list of ansible.cfg (ANSIBLE_VAULT_IDENTITY_LIST in the environment): `label@path` in place of `label@prompt`.'
    : 'Name the file with its password: `vaultPasswordFile` (or `vaultIds`) in a test; for all that read it ANSIBLE_VAULT_PASSWORD_FILE, or vault_password_file in ansible.cfg.'
