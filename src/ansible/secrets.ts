/** What stands in the place of a secret. */
const mask = '***'

/** `text` with each of `secrets` masked, also where it is part of a JSON string. */
export function hideSecrets(text: string, secrets: readonly string[]): string {
  let hidden = text
  // The longest first: one may be a part of another.
  for (const secret of secrets.toSorted((a, b) => b.length - a.length)) {
    for (const form of new Set([secret, JSON.stringify(secret).slice(1, -1)]))
      hidden = hidden.replaceAll(form, mask)
  }
  return hidden
}
