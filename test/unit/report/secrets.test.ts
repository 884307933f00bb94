import { expect, test } from 'vitest'
import { secretsIn } from '../../../src/report/evidence.ts'

test('secrets are in the variables of hosts, of runs and of plays of ours', () => {
  const record = { playbook: 'role db', startedAt: 0, events: [], secrets: ['of-a-vault'] }
  const source = {
    ...{ pis: [], askedAt: 0, lentAt: 0, queuedMs: 0, projectDir: '/repo' },
    vars: { db: { api_key: 'of-the-host' } },
    records: [
      { ...record, options: { extraVars: { token: 'of-the-run' }, env: { DB_PASSWORD: 'of-the-env' } } },
      { ...record, options: {}, vars: { db_password: 'of-the-play', port: 5432 } },
    ],
  }
  expect(secretsIn(source)).toEqual(
    expect.arrayContaining(['of-the-host', 'of-the-run', 'of-the-env', 'of-the-play', 'of-a-vault']),
  )
})
