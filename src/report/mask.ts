/** What a masked secret becomes. */
const mask = '***'

const secretWord = 'password|passwd|passphrase|secret|token|api_?key|private_?key'
const secretName = new RegExp(secretWord, 'i')

/** Shorter values are left alone: masking every "yes" or "1" would only make the text unreadable. */
const shortestSecret = 4

/**
 * The values in `vars`, however deep, whose names say that they are secret: `*password*`, `*secret*`, `*token*` and the
 * like. Values of fewer than 4 characters are no secrets.
 */
export function secretsOf(vars: unknown): string[] {
  const found = new Set<string>()
  const walk = (value: unknown, secret: boolean) => {
    if (typeof value === 'string' || typeof value === 'number') {
      if (!secret) return
      // Logs and journals show a text of several lines line by line.
      for (const line of String(value).split('\n'))
        if (line.trim().length >= shortestSecret) found.add(line.trim())
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, inner] of Object.entries(value)) walk(inner, secret || secretName.test(name))
    }
  }
  walk(vars, false)
  return [...found]
}

// Each starts at a fixed word and repeats only up to a limit: evidence may hold a line of many kilobytes.
// In a diff the lines of a key may begin with a hyphen.
const privateKey =
  /-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----(?:[\s\S]{0,16384}?-----END [A-Z0-9 ]{0,32}PRIVATE KEY(?: BLOCK)?-----|(?:[\w+/=\s\\]|(?<=\n)-(?!-))*)/g
const urlPassword = /(:\/\/[^\s:@/"']{1,64}:)[^\s@/"']{1,256}@/g
const named = `(?:${secretWord})[\\w.-]{0,64}`
const quoted = new RegExp(
  `(${named}(?:\\\\*["'])?\\s{0,8}[:=]\\s{0,8})(?:(\\\\")(?:(?!\\\\")[^\\n]){1,4096}\\\\"|(")(?:[^"\\\\]|\\\\.){1,4096}"|(')[^'\\n]{1,4096}')`,
  'gi',
)
const assigned = new RegExp(`(${named}\\s{0,8}=\\s{0,8})(?!["'\\\\*])[^\\s,;&"'\\\\]{1,4096}`, 'gi')
const yamlLine = new RegExp(`^([ \\t+-]{0,64}[\\w.-]{0,64}?${named}:[ \\t]+)(?!["'*|>])\\S.*$`, 'gim')

/**
 * `text` without private keys, passwords in URLs, values that are written next to a name that says that they are secret
 * (`db_password: …`, `token=…`, `"secret": "…"`), and without `secrets` wherever they stand. JSON stays JSON.
 */
export function maskSecrets(text: string, secrets: readonly string[] = []): string {
  let masked = text
    .replace(privateKey, `-----PRIVATE KEY ${mask}-----`)
    .replace(urlPassword, `$1${mask}@`)
    .replace(quoted, (_, name, escaped = '', double = '', single = '') => {
      const quote = escaped || double || single
      return `${name}${quote}${mask}${quote}`
    })
    .replace(assigned, `$1${mask}`)
    .replace(yamlLine, `$1${mask}`)
  // The longest first: one may be a part of another.
  for (const secret of secrets.toSorted((a, b) => b.length - a.length)) {
    if (/^\d+$/.test(secret)) masked = maskNumber(masked, secret)
    else
      for (const form of new Set([secret, JSON.stringify(secret).slice(1, -1)]))
        masked = masked.replaceAll(form, mask)
  }
  return masked
}

// Not within other numbers, which are times and sizes; and as a value of JSON by a text.
function maskNumber(text: string, secret: string): string {
  return text
    .replace(new RegExp(`(?<=[:[,])${secret}(?=[,}\\]])`, 'g'), `"${mask}"`)
    .replace(new RegExp(`(?<![\\d.])${secret}(?![\\d.])`, 'g'), mask)
}
