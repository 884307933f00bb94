import { describe, expect, test } from 'vitest'
import { answeringTarget, target } from '../../pi/probes/local-target.ts'
import { expectPi, failure } from './expect-pi.ts'

const entry = (SYSLOG_IDENTIFIER: string, MESSAGE: unknown) =>
  `${JSON.stringify({ SYSLOG_IDENTIFIER, MESSAGE })}\n`
const journal = (stdout: string, stderr = '', exitCode = 0) => answeringTarget({ stdout, stderr, exitCode })
const errors = journal(
  entry('kernel', 'bcm2835-mbox: timeout') + entry('nginx', [...Buffer.from('bad: \u001b[31m')]),
)

describe('toHaveCleanJournal', () => {
  test('accepts that there is no entry, or none that counts', async () => {
    await expectPi(journal('-- No entries --\n')).toHaveCleanJournal()
    await expectPi(errors).toHaveCleanJournal({ except: ['nginx: bad', /^kernel: bcm2835/] })
    await expectPi(errors).not.toHaveCleanJournal({ except: [/timeout/] })
  })

  test('shows the entries', async () => {
    const one = journal(entry('sshd', 'error: kex_exchange_identification'))
    expect(await failure(() => expectPi(one).toHaveCleanJournal())).toMatchInlineSnapshot(`
      "expect(pi).toHaveCleanJournal() failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  no entry
      Received:  1 entry

      Entries:
        sshd: error: kex_exchange_identification"
    `)
    const many = journal(Array.from({ length: 30 }, (_, number) => entry('app', `error ${number}`)).join(''))
    const message = await failure(() => expectPi(many).toHaveCleanJournal())
    expect(message).toContain('Received:  30 entries\n\nThe last 20:\n  app: error 10\n')
  })

  test('does not pass because all that it got to see is excepted', async () => {
    const cut = (stdout: string) => answeringTarget({ stdout, stderr: '', exitCode: 0, cut: true })
    const rest = '{"SYSLOG_IDENTIFIER":"ap'
    const message = await failure(() =>
      expectPi(cut(entry('nginx', 'bad') + rest)).toHaveCleanJournal({ except: ['nginx'] }),
    )
    expect(message).toContain('too long to be looked at: the first 1 entries are all excepted')
    await expectPi(cut(entry('app', 'bad') + rest)).not.toHaveCleanJournal({ except: ['nginx'] })
  })

  test('does not take a journal that may not be read for a clean one', async () => {
    const hint = 'Hint: You are currently not seeing messages from other users and the system.\n'
    const message = 'Could not read the journal of the Pi'
    expect(await failure(() => expectPi(journal('-- No entries --\n', hint)).toHaveCleanJournal())).toContain(
      message,
    )
    expect(await failure(() => expectPi(journal('', 'bad --since', 1)).not.toHaveCleanJournal())).toContain(
      message,
    )
  })

  test.for([
    [{}, ['-n', '200', '-p', 'err', '-b']],
    [{ except: ['nginx'] }, ['--output-fields=MESSAGE,SYSLOG_IDENTIFIER', '-p', 'err', '-b']],
    [{ since: '-5min' }, ['--since', '-5min']],
    [{ since: new Date(1_700_000_000_500) }, ['--since', '@1700000000.5']],
  ] as const)('asks with %j for %j', async ([options, words]) => {
    let input = ''
    const pi = target(async (_command, given) => {
      input = given?.input ?? ''
      const answers = [{ stdout: '', stderr: '', exitCode: 0 }]
      return { exitCode: 0, stdout: JSON.stringify({ root: true, answers }), stderr: '' }
    })
    await expectPi(pi).toHaveCleanJournal(options)
    const [, queries] = /\nmain\((.*)\)\n$/.exec(input) ?? []
    const [{ command }] = JSON.parse(queries ?? '')
    expect(command.slice(-words.length)).toEqual(words)
  })
})
