import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest-raspi'
import { piMatchers } from '../../src/vitest/pi-matchers/pi-matchers.ts'
import { onVirt } from '../support/board.ts'

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGrO5cN0mH1q8yJ4mZ0m1x7uE4nN0kz6Yy0m5s1q2w3e'

// What a playbook would leave behind, of every kind that there is a matcher for.
const setUp = `set -e
install -m 0640 /dev/null /etc/app.conf
printf 'listen 8080\\nlog off\\n' > /etc/app.conf
ln -sfn app.conf /etc/app.link
groupadd --gid 2000 app
useradd --uid 2001 --create-home --shell /bin/sh --groups app deploy
install -d -o deploy /home/deploy/.ssh
echo '${key} me@desk' > /home/deploy/.ssh/authorized_keys
mkdir -p /mnt/ram /srv/www /boot/firmware /etc/cron.d /etc/apt/sources.list.d
mount -t tmpfs -o noatime none /mnt/ram
echo 'Hello' > /srv/www/index.html
echo 'dtparam=i2c_arm=on' >> /boot/firmware/config.txt
sed -i '1s/$/ cgroup_enable=memory/' /boot/firmware/cmdline.txt
printf '#Ansible: nightly\\n0 3 * * * root /usr/local/bin/backup\\n' > /etc/cron.d/backup
echo 'deb [signed-by=/etc/apt/keyrings/app.asc] https://apt.pi.test/debian stable main' > /etc/apt/sources.list.d/app.list
echo boreas > /etc/hostname && hostname boreas
ln -sfn /usr/share/zoneinfo/Etc/GMT /etc/localtime
sysctl -q -w vm.swappiness=7
cd /etc/systemd/system
printf '[Service]\\nExecStart=/usr/bin/python3 -m http.server --bind 127.0.0.1 -d /srv/www 8080\\n[Install]\\nWantedBy=multi-user.target\\n' > web.service
printf '[Service]\\nType=oneshot\\nExecStart=/bin/sh -c "echo no luck; exit 3"\\n' > broken.service
printf '[Timer]\\nOnCalendar=*-*-* 03:00:00\\nUnit=broken.service\\n[Install]\\nWantedBy=timers.target\\n' > nightly.timer
systemctl daemon-reload
systemctl enable -q --now web.service nightly.timer
systemctl mask -q systemd-pstore.service
systemctl start broken.service || true
cat > /usr/local/bin/lamp <<'PYTHON'
import fcntl, glob, struct, time
for path in glob.glob('/dev/gpiochip*'):
    chip = open(path, 'rb')
    label = fcntl.ioctl(chip, 0x8044B401, bytes(68))[32:64].rstrip(b'\\0')
    if label == b'pinctrl-bcm2835':
        # GPIO 17 high, 27 low, as outputs: struct gpiohandle_request of linux/gpio.h.
        request = struct.pack('64II64s32sIi', 17, 27, *[0] * 62, 2, bytes([1, 0]), b'lamp', 2, 0)
        held = fcntl.ioctl(chip, 0xC16CB403, request)
        open('/run/lamp', 'w').close()
        time.sleep(3600)
PYTHON
systemd-run -q --unit=lamp python3 /usr/local/bin/lamp
until test -e /run/lamp || ! systemctl is-active -q lamp; do sleep 1; done
logger -p user.err -t app 'out of paper'
until python3 -c 'import urllib.request as u; u.urlopen("http://127.0.0.1:8080/")' 2>/dev/null; do sleep 1; done
`

type Its = ReturnType<typeof expect>
type Look = (it: Its) => Promise<unknown>

const longAgo = new Date('2020-01-01')
const inAYear = new Date(Date.now() + 365 * 24 * 3600 * 1000)

/** A matcher that passes, one that fails, and what the latter says to have received. */
const table: [name: string, passes: Look, fails: Look, received: string][] = [
  [
    'a file',
    (it) => it.toHaveFile('/etc/app.conf', { mode: '0640', owner: 'root', group: 0, contains: 'log off' }),
    (it) => it.toHaveFile('/etc/app.conf', { mode: '0644', content: /log on/ }),
    'mode 0640, content of 20 bytes',
  ],
  [
    'a link',
    (it) => it.toHaveFile('/etc/app.link', { type: 'link', target: 'app.conf' }),
    (it) => it.toHaveFile('/etc/app.link', { target: '/etc/app.conf' }),
    'target app.conf',
  ],
  [
    'a directory',
    (it) => it.toHaveFile('/home/deploy', { type: 'directory', owner: 'deploy' }),
    (it) => it.toHaveFile('/home/deploy/app'),
    'no such file',
  ],
  [
    'a service',
    (it) => it.toHaveService('web', { running: true, enabled: true, masked: false }),
    (it) => it.toHaveService('broken', { running: true, enabled: true }),
    'not running (failed), not enabled (static)',
  ],
  [
    'a masked service',
    (it) => it.toHaveService('systemd-pstore', { masked: true, enabled: false }),
    (it) => it.toHaveService('no-such-service'),
    'no such service',
  ],
  [
    'a service that was started anew',
    (it) => it.toHaveService('web', { restartedSince: longAgo }),
    (it) => it.toHaveService('broken', { restartedSince: longAgo }),
    'not running (failed)',
  ],
  [
    'a service that was not started anew',
    (it) => it.toHaveService('web', { running: true, restartedSince: longAgo }),
    (it) => it.toHaveService('web', { running: true, restartedSince: inAYear }),
    'running (active, running), started at 2',
  ],
  [
    'no failed units',
    (it) => it.toHaveNoFailedUnits({ except: ['broken.service'] }),
    (it) => it.toHaveNoFailedUnits(),
    'broken.service',
  ],
  [
    'a timer',
    (it) => it.toHaveTimer('nightly', { active: true, enabled: true, unit: 'broken.service' }),
    (it) => it.toHaveTimer('nightly', { calendar: '*-*-* 04:00:00' }),
    'calendar *-*-* 03:00:00',
  ],
  [
    'a package',
    (it) => it.toHavePackage('python3', { version: '>=3.9 <4' }),
    (it) => it.toHavePackage('no-such-package', { version: '1' }),
    'not installed',
  ],
  [
    'a listener',
    (it) => it.toListenOn(8080, { address: '127.0.0.1', process: /python3/ }),
    (it) => it.toListenOn(8080, { protocol: 'udp' }),
    'nothing listens on udp port 8080',
  ],
  [
    'a user',
    (it) => it.toHaveUser('deploy', { uid: 2001, groups: ['app'], shell: '/bin/sh', keys: key }),
    (it) => it.toHaveUser('deploy', { home: '/srv' }),
    'home /home/deploy',
  ],
  [
    'a group',
    (it) => it.toHaveGroup('app', { gid: 2000, members: ['deploy'] }),
    (it) => it.toHaveGroup('app', { members: ['root'] }),
    'members deploy',
  ],
  [
    'a mount',
    (it) => it.toHaveMount('/mnt/ram', { type: 'tmpfs', options: ['noatime'], persistent: false }),
    (it) => it.toHaveMount('/mnt'),
    'nothing mounted',
  ],
  [
    'a kernel module',
    (it) => it.toHaveKernelModule('ext4'),
    (it) => it.toHaveKernelModule('no-such-module'),
    'no such module',
  ],
  [
    'a kernel parameter',
    (it) => it.toHaveKernelParameter('rootwait'),
    (it) => it.toHaveKernelParameter('cgroup_enable=pids'),
    '',
  ],
  [
    'a kernel parameter of the next boot',
    (it) => it.toHaveKernelParameter('cgroup_enable=memory', { nextBoot: true }),
    (it) => it.toHaveKernelParameter('cgroup_enable=memory'),
    '',
  ],
  [
    'a sysctl',
    (it) => it.toHaveSysctl('vm.swappiness', 7),
    (it) => it.toHaveSysctl('vm.swappiness', 60),
    'vm.swappiness 7',
  ],
  [
    'a boot configuration',
    (it) => it.toHaveBootConfig('dtparam=i2c_arm=on'),
    (it) => it.toHaveBootConfig('dtparam=i2c_arm=off'),
    'dtparam=i2c_arm=on in section all',
  ],
  [
    'a cron job',
    (it) => it.toHaveCronJob('/usr/local/bin/backup', { schedule: '0 3 * * *', name: 'nightly' }),
    (it) => it.toHaveCronJob('/usr/local/bin/backup', { user: 'deploy' }),
    'user root',
  ],
  ['a host name', (it) => it.toHaveHostname('boreas'), (it) => it.toHaveHostname('notos'), 'boreas'],
  [
    'a time zone',
    (it) => it.toHaveTimezone('Etc/GMT'),
    (it) => it.toHaveTimezone('Europe/Athens'),
    'Etc/GMT',
  ],
  ['a locale', (it) => it.toHaveLocale('C.UTF-8'), (it) => it.toHaveLocale('tlh_QO.UTF-8'), 'no such locale'],
  [
    'a source of packages',
    (it) => it.toHaveAptSource('https://apt.pi.test/debian', { suite: 'stable', signedBy: /app\.asc$/ }),
    (it) => it.toHaveAptSource('https://apt.pi.test/debian', { components: ['contrib'] }),
    'components main',
  ],
  [
    'a clean journal',
    // Not the kernel's: on a host that stalls, an emulated one has been seen to stumble by itself.
    (it) => it.toHaveCleanJournal({ priority: 'emerg', except: [/^kernel: /] }),
    (it) => it.toHaveCleanJournal({ priority: 'err', except: [/^(?!app: )/] }),
    '1 entry',
  ],
  [
    'an HTTP answer',
    (it) => it.toAnswerHttp('http://127.0.0.1:8080/', { body: 'Hello\n', headers: { Server: /Python/ } }),
    (it) => it.toAnswerHttp('http://127.0.0.1:8080/no-such-page'),
    'status 404',
  ],
  [
    'a pin that a service drives',
    (it) => it.toHaveGpio(17, { level: 'high', function: 'output' }),
    (it) => it.toHaveGpio(27, { level: 'high' }),
    'level low',
  ],
  [
    'a pin that nobody drives',
    (it) => it.toHaveGpio(22, { function: 'input' }),
    (it) => it.toHaveGpio(22),
    'input, low',
  ],
  [
    'no HTTP answer',
    (it) => it.toAnswerHttp('http://127.0.0.1:8080/no-such-page', { status: 404 }),
    (it) => it.toAnswerHttp('http://127.0.0.1:8081/', { timeout: 5_000 }),
    'connection refused',
  ],
]

/** What can be tried on this board: `virt` has no pins. */
const tryable = onVirt ? table.filter(([, passes]) => !String(passes).includes('toHaveGpio')) : table

test('every matcher sees what is there on a Pi, tells what is not, and can be negated', async ({ pi }) => {
  const tried = new Set(table.map(([, passes]) => /\.(to\w+)\(/.exec(String(passes))?.[1]))
  expect([...tried].sort()).toEqual(Object.keys(piMatchers).sort())
  await pi.run('sh -s', { sudo: true, input: setUp })
  const answers = await Promise.all(
    tryable.map(async ([name, passes, fails, received]) => ({
      name,
      received,
      passed: await messageOf(passes(expect(pi))),
      failed: await messageOf(fails(expect(pi))),
      notFailed: await messageOf(fails(expect(pi).not as Its)),
      notPassed: await messageOf(passes(expect(pi).not as Its)),
    })),
  )
  for (const { name, received, passed, failed, notFailed, notPassed } of answers) {
    expect.soft(passed, name).toBe('passed')
    expect.soft(failed, name).toContain(`\nReceived:  ${received}`)
    expect.soft(notFailed, `${name}, negated`).toBe('passed')
    expect
      .soft(notPassed, `${name}, negated`)
      .toMatch(/^expect\(pi\)\.not\..* failed\n\nPi: .*\nExpected: .*\nReceived: /)
  }

  // And each can be asked again until it holds.
  const polled = await Promise.all(
    tryable.map(([, passes]) =>
      messageOf(passes(expect.poll(() => pi, { timeout: 60_000 }) as unknown as Its)),
    ),
  )
  expect(polled).toEqual(tryable.map(() => 'passed'))
  await pi.run("systemd-run -q sh -c 'sleep 3; touch /run/late'", { sudo: true })
  await expect.poll(() => pi, { timeout: 60_000, interval: 500 }).toHaveFile('/run/late')
})

test('a matcher shows why a service failed', async ({ pi }) => {
  await pi.run('sh -s', {
    sudo: true,
    input: "systemd-run -q --unit=unlucky sh -c 'echo no luck; exit 3'; systemctl is-active unlucky; sleep 2",
    reject: false,
  })
  expect(await messageOf(expect(pi).toHaveService('unlucky', { running: true }))).toMatch(
    /unlucky\.service failed \(exit code 3\), its last lines:\n(.*\n)*? {2}no luck\n/,
  )
})

async function messageOf(assertion: Promise<unknown>): Promise<string> {
  try {
    await assertion
    return 'passed'
  } catch (error) {
    return stripVTControlCharacters((error as Error).message)
  }
}
