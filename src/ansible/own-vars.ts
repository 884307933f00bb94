/** What an inventory may say of a connection, under all its names, and what must not lead away from an emulated Pi. */
const ofConnection =
  /^ansible_(connection|host|port|user|password|ssh_(host|port|user|pass|password|private_key_file|executable|(common|extra)_args)|private_key_file|control_path(_dir)?|(ssh|scp|sftp)_extra_args)$/

/** Variables of a host without those that say how the real machine is reached. */
export function ownVars(vars: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(vars).filter(([name]) => !ofConnection.test(name)))
}
