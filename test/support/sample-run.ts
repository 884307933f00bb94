import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ReportedTest } from '../../src/report/page/collect.ts'
import type { RunAccount, TaskAccount } from '../../src/report/told.ts'

const files = {
  'site.yml': `- name: Everything
  hosts: all
  become: true
  roles:
    - base
    - web
`,
  'roles/base/tasks/main.yml': `- name: Set the time zone
  community.general.timezone:
    name: Europe/Berlin

- name: Install what everybody needs
  ansible.builtin.apt:
    name: [vim, htop]
    state: present

- name: Let the operators in
  ansible.posix.authorized_key:
    user: pi
    key: "{{ lookup('file', 'deploy.pub') }}"
  when: operators is defined
`,
  'roles/web/tasks/main.yml': `- name: Install nginx
  ansible.builtin.apt:
    name: nginx

- name: Write the site's configuration
  ansible.builtin.template:
    src: site.conf.j2
    dest: /etc/nginx/sites-enabled/site.conf
    mode: "0644"
  notify: Reload nginx

- name: Start the server
  ansible.builtin.systemd:
    name: nginx
    state: started
    enabled: true
`,
  'roles/web/handlers/main.yml': `- name: Reload nginx
  ansible.builtin.systemd:
    name: nginx
    state: reloaded
`,
}

const second = 1_000
const start = Date.UTC(2026, 10, 25, 9, 30)

/** A small repository in `dir`, and what a reporter knows after `count` tests of it, some of which failed. */
export function sampleRun(dir: string, count: number): ReportedTest[] {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), text)
  }
  return Array.from({ length: count }, (_, index) => sampleTest(dir, index))
}

function sampleTest(dir: string, index: number): ReportedTest {
  // Two at a time, each half a minute.
  const askedAt = start + Math.floor(index / 2) * 31 * second + (index % 2) * 4 * second
  // Every fifth Pi was kept ready; every other one of the rest had to be waited for.
  const startedAt = askedAt + (index % 5 === 4 ? -9 : (index % 2) * 3) * second
  const startMs = 2_800 + ((index * 137) % 900)
  const lentAt = Math.max(askedAt, startedAt + startMs) + 60
  const failed = index % 11 === 3
  const dies = index % 22 === 14
  const skipped = index % 17 === 9
  const runs = [
    aRun(dir, lentAt + second, failed ? 'failed' : 'changed'),
    ...(failed || dies ? [] : [aRun(dir, lentAt + 18 * second, 'ok')]),
  ]
  const usedUntil = lentAt + 23 * second + (failed ? 2_400 : 0)
  const error =
    'expect(run).toSucceed() failed\n\nPlaybook: site.yml\nExpected: every task succeeds\nReceived: 1 task failed (exit code 2)'
  const errors = failed ? [error] : dies ? ['Pi pi-15 is lost: QEMU was killed by SIGKILL'] : []
  const dies_ = dies ? { lost: { at: usedUntil - second, reason: 'QEMU was killed by SIGKILL' } } : {}
  const pi = { number: index + 1, name: 'pi', hostname: `pi-${index + 1}`, origin: 'thawed' as const }
  const evidenceDir = failed || dies ? join(dir, '.vitest/raspi', `test-${index}`) : undefined
  if (evidenceDir) {
    mkdirSync(evidenceDir, { recursive: true })
    const lines = Array.from(
      { length: 60 },
      (_, line) => `[${(line * 0.37).toFixed(6).padStart(12)}] systemd[1]: Started <unit ${line}>`,
    )
    writeFileSync(join(evidenceDir, 'pi.console.log'), lines.join('\n'))
    writeFileSync(
      join(evidenceDir, 'pi.qemu.log'),
      '2026-11-25T09:30:00.000Z  starts: qemu-system-aarch64 -machine raspi3b',
    )
    writeFileSync(join(evidenceDir, 'timeline.txt'), '')
  }
  return {
    file: `test/${['site', 'web', 'database', 'network', 'upgrade'][Math.floor(index / 6) % 5]}${index >= 30 ? `-${Math.floor(index / 30)}` : ''}.test.ts`,
    name: `the ${['web', 'base', 'backup'][index % 3]} role > ${['serves its page', 'changes nothing when it runs again', 'survives a reboot', 'answers <b>everybody</b>'][index % 4]}`,
    state: skipped ? 'skipped' : failed || dies ? 'failed' : 'passed',
    ...(skipped ? {} : { startedAt: askedAt }),
    durationMs: skipped ? 0 : usedUntil - askedAt,
    retries: index % 13 === 5 ? 1 : 0,
    errors,
    line: failed ? 12 : undefined,
    pis: skipped
      ? []
      : [
          {
            ...pi,
            askedAt,
            startedAt,
            startMs,
            lentAt,
            queuedMs: Math.max(0, startedAt - askedAt),
            usedUntil,
            ...dies_,
          },
        ],
    accounts: skipped ? [] : [{ runs, errors }],
    evidenceDir,
  }
}

function aRun(dir: string, startedAt: number, outcome: 'ok' | 'changed' | 'failed'): RunAccount {
  let at = startedAt + 800
  const task = (
    name: string,
    path: string,
    line: number,
    ms: number,
    data: Partial<TaskAccount> = {},
  ): TaskAccount => {
    at += ms
    const status = outcome === 'ok' ? 'ok' : (data.status ?? 'ok')
    const { diff, message } = data
    return {
      ...{
        name,
        handler: data.handler ?? false,
        path: join(dir, path),
        line,
        host: 'pi',
        endedAt: at,
        durationMs: ms - 20,
        status,
      },
      ...(diff && status === 'changed' ? { diff } : {}),
      ...(message ? { message } : {}),
    }
  }
  const half = outcome === 'ok' ? 0.25 : 1
  const [base, web] = ['roles/base/tasks/main.yml', 'roles/web/tasks/main.yml']
  const diff = [
    '--- before',
    '+++ /etc/nginx/sites-enabled/site.conf',
    '+server {',
    '+  listen 80;',
    '-  listen 8080;',
    ' }',
  ]
  const tasks = [
    task('Gathering Facts', 'site.yml', 1, 2_600 * half),
    task('base : Set the time zone', base, 1, 1_900 * half, { status: 'changed' }),
    task('base : Install what everybody needs', base, 5, 3_800 * half),
    task('base : Let the operators in', base, 10, 90, { status: 'skipped' }),
    task('web : Install nginx', web, 1, 4_200 * half, { status: 'changed' }),
    task("web : Write the site's configuration", web, 5, 1_700 * half, { status: 'changed', diff }),
    outcome === 'failed'
      ? task('web : Start the server', web, 12, 1_300, {
          status: 'failed',
          message:
            'Unable to start service nginx: Job for nginx.service failed because the control process exited with error code.',
        })
      : task('web : Start the server', web, 12, 900 * half),
    ...(outcome === 'changed'
      ? [
          task('web : Reload nginx', 'roles/web/handlers/main.yml', 1, 600, {
            status: 'changed',
            handler: true,
          }),
        ]
      : []),
  ]
  return {
    ...{ playbook: 'site.yml', command: 'ansible-playbook --inventory=/tmp/i/inventory.yml --diff site.yml' },
    ...{ ok: outcome !== 'failed', check: false, outcome: `exit code ${outcome === 'failed' ? 2 : 0}` },
    ...{
      startedAt,
      endedAt: at + 300,
      plays: [{ name: 'Everything', path: join(dir, 'site.yml'), line: 1 }],
      tasks,
      omitted: 0,
    },
  }
}
