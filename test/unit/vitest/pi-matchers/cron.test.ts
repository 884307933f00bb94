import { describe, expect, test } from 'vitest'
import { answeringTarget } from '../../pi/probes/local-target.ts'
import { expectPi, failure } from './expect-pi.ts'

const pi = answeringTarget({
  texts: {
    '/etc/crontab': [
      'SHELL=/bin/sh',
      'PATH=/usr/local/sbin:/usr/sbin * * * * *',
      '# m h dom mon dow user command',
      '17 *\t* * *\troot\tcd / && run-parts --report /etc/cron.hourly',
      '',
    ].join('\n'),
    '/etc/cron.d/backup': '#Ansible: nightly\n0 3 * * mon-fri backup /usr/local/bin/backup.sh --all\n',
    '/etc/cron.d/backup.dpkg-old': '0 4 * * * root /usr/local/bin/old.sh\n',
    '/var/spool/cron/crontabs/pi': '@reboot /home/pi/start\n*/5 8-18 * jan * /home/pi/check "x = 1"\n',
  },
})

describe('toHaveCronJob', () => {
  test('finds jobs of the system and of users', async () => {
    await expectPi(pi).toHaveCronJob('cd / && run-parts --report /etc/cron.hourly', {
      schedule: '17 * * * *',
      user: 'root',
    })
    const nightly = { schedule: '0 3 * * mon-fri', user: 'backup', name: 'nightly' }
    await expectPi(pi).toHaveCronJob(/backup\.sh/, nightly)
    await expectPi(pi).toHaveCronJob('/home/pi/start', { schedule: '@reboot', user: 'pi' })
    await expectPi(pi).toHaveCronJob('/home/pi/check "x = 1"', { schedule: '*/5 8-18 * jan *' })
    await expectPi(pi).not.toHaveCronJob('/usr/local/bin/backup.sh')
    await expectPi(pi).not.toHaveCronJob(/old\.sh/)
    await expectPi(pi).not.toHaveCronJob(/backup\.sh/, { name: 'weekly' })
    await expectPi(pi).not.toHaveCronJob('* * * *')
  })

  test('tells when and as whom it runs instead', async () => {
    expect(
      await failure(() => expectPi(pi).toHaveCronJob(/backup/, { schedule: '0 4 * * *', user: 'root' })),
    ).toMatchInlineSnapshot(`
      "expect(pi).toHaveCronJob(/backup/) failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  schedule 0 4 * * *, user root
      Received:  schedule 0 3 * * mon-fri, user backup"
    `)
  })

  test('lists the jobs that there are', async () => {
    expect(await failure(() => expectPi(pi).toHaveCronJob('/usr/bin/true'))).toMatchInlineSnapshot(`
      "expect(pi).toHaveCronJob("/usr/bin/true") failed

      Pi:        boreas (127.0.0.1:40022)
      Expected:  a cron job
      Received:  no such job

      Cron jobs:
        17 * * * * root cd / && run-parts --report /etc/cron.hourly (/etc/crontab)
        0 3 * * mon-fri backup /usr/local/bin/backup.sh --all (/etc/cron.d/backup)
        @reboot pi /home/pi/start (/var/spool/cron/crontabs/pi)
        */5 8-18 * jan * pi /home/pi/check "x = 1" (/var/spool/cron/crontabs/pi)"
    `)
  })
})
