import { expect, test } from 'vitest'
import { maskSecrets, secretsOf } from '../../../src/report/mask.ts'

test.each([
  ['db_password: hunter22', 'db_password: ***'],
  ['+ wifi_token:  a b c', '+ wifi_token:  ***'],
  ['DB_PASSWORD=hunter22 HOME=/root', 'DB_PASSWORD=*** HOME=/root'],
  ['client-secret = hunter22;', 'client-secret = ***;'],
  ['{"api_token":"a\\"b","port":80}', '{"api_token":"***","port":80}'],
  ['"content": "{\\"api_key\\": \\"hunter22\\"}"', '"content": "{\\"api_key\\": \\"***\\"}"'],
  ['{"after":"token=abc\\nport=80"}', '{"after":"token=***\\nport=80"}'],
  ["'vault_passphrase': 'hunter22',", "'vault_passphrase': '***',"],
  ['git clone https://me:hunter22@git.test/app.git', 'git clone https://me:***@git.test/app.git'],
])('the value that a name says is secret is masked in %s', (text, masked) => {
  expect(maskSecrets(text)).toBe(masked)
})

test.each([
  'Failed to get the token: 401 Unauthorized',
  'TASK [Change the password] ***',
  '{"update_password":null,"port":80}',
  'http://127.0.0.1:8080/index.html',
  'vault_password: >-',
])('what is no secret stays: %s', (text) => {
  expect(maskSecrets(text)).toBe(text)
})

test('private keys are masked, also in JSON and where their end is missing', () => {
  const body = 'b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ=='
  const key = `-----BEGIN OPENSSH PRIVATE KEY-----\n${body}\n-----END OPENSSH PRIVATE KEY-----`
  expect(maskSecrets(`a\n${key}\nb`)).toBe('a\n-----PRIVATE KEY ***-----\nb')
  expect(JSON.parse(maskSecrets(JSON.stringify({ key, port: 80 })))).toEqual({
    key: '-----PRIVATE KEY ***-----',
    port: 80,
  })
  expect(maskSecrets(`a\n-----BEGIN RSA PRIVATE KEY-----\n${body}`)).not.toContain(body)
  expect(maskSecrets(`@@\n -----BEGIN RSA PRIVATE KEY-----\n-${body}\n+${body}`)).not.toContain(body)
})

test('values of secret variables are found however deep, and masked wherever they stand', () => {
  const secrets = secretsOf({
    db: { password: 'hunter22', port: 5432 },
    secrets: [{ name: 'first "one"' }],
    pin_token: 471100,
    short_token: 'no',
    certificate_secret: 'line one\nline two',
    user: 'me',
  })
  expect(secrets).toEqual(['hunter22', 'first "one"', '471100', 'line one', 'line two'])
  expect(maskSecrets('psql postgres://hunter22 471100 line two me no', secrets)).toBe(
    'psql postgres://*** *** *** me no',
  )
  expect(maskSecrets('{"cmd":"echo first \\"one\\""}', secrets)).toBe('{"cmd":"echo ***"}')
})

test('a secret number is masked as a value and in texts, not as a part of other numbers', () => {
  const text = '{"token":471100,"at":1795471100471,"msg":"PIN 471100"}'
  expect(JSON.parse(maskSecrets(text, ['471100']))).toEqual({
    token: '***',
    at: 1795471100471,
    msg: 'PIN ***',
  })
  expect(maskSecrets('PIN 471100, please', ['471100'])).toBe('PIN ***, please')
})

test('a secret that is a part of another leaves nothing of the longer one', () => {
  expect(maskSecrets('hunter22-and-more', ['hunter22', 'hunter22-and-more'])).toBe('***')
})

test('a megabyte in one line is masked in no time', () => {
  const text = `${'password'.repeat(60_000)}${'A'.repeat(500_000)} token=abc`
  const started = performance.now()
  expect(maskSecrets(text).endsWith('token=***')).toBe(true)
  expect(performance.now() - started).toBeLessThan(1_000)
})
