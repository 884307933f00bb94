import { expect, test } from 'vitest'
import { Project } from '../support/project.ts'

// 192.0.2.0/24 is nobody's: RFC 5737.
const files = {
  'inventory/hosts.ini':
    '[winds]\nboreas ansible_host=192.0.2.1 ansible_port=2200 ansible_ssh_user=admin\nzephyr ansible_host=192.0.2.2\n',
  'inventory/group_vars/winds.yml': 'direction: unknown\n',
  'inventory/host_vars/boreas.yml': 'direction: north\nansible_ssh_host: 192.0.2.3\n',
  'site.yml': `- name: The winds
  hosts: winds
  become: true
  gather_facts: false
  tasks:
    - name: Know where it comes from
      ansible.builtin.copy:
        content: "{{ direction }}\\n"
        dest: /etc/wind
        mode: "0644"
    - name: Blow from the next boot on
      ansible.builtin.copy:
        content: "[Service]\\nType=oneshot\\nExecStart=/bin/cp /etc/wind /run/wind\\n[Install]\\nWantedBy=multi-user.target\\n"
        dest: /etc/systemd/system/wind.service
        mode: "0644"
    - name: Enable it
      ansible.builtin.file:
        src: /etc/systemd/system/wind.service
        path: /etc/systemd/system/multi-user.target.wants/wind.service
        state: link
        # A dry run on a fresh Pi has not written the unit.
        force: true
`,
  'test/site.test.ts': `import { expect, raspiTest, verifyPlaybook } from 'vitest-raspi'
const options = { inventory: 'inventory/hosts.ini', limit: 'boreas' }
verifyPlaybook('site.yml', { ...options, powerCuts: 2 })
raspiTest<'boreas'>({ ...options, limit: 'nobody' })('a limit that matches nobody', ({ pis }) => { pis.boreas })
raspiTest({ hosts: Object.fromEntries(Array.from({ length: 99 }, (_, n) => ['pi' + n, {}])) })('too many', ({ pi }) => { pi })
`,
}

test('the standard tests of a playbook pass on a Pi of the user’s inventory, through a reboot and a power cut', {
  timeout: 1_500_000,
}, async () => {
  using project = new Project({ files })
  const { output } = await project.vitest(['--reporter=verbose']).finished(1_400_000)
  const passed = [...output.matchAll(/✓ test\/site\.test\.ts > site\.yml > (.+?)(?: \d+ms)?$/gm)].map(
    ([, name]) => name,
  )
  expect(passed, output).toEqual([
    'its syntax is right',
    'a dry run on fresh Pis succeeds',
    'it converges',
    'the dry run foretold what converging changed',
    'a second run changes nothing',
    'a dry run on converged Pis would change nothing',
    'no systemd unit has failed',
    'it survives a reboot',
    'it converges through power cuts, every 2 tasks',
  ])
  // Two of three tasks, then all.
  expect(output.match(/ansible-playbook site\.yml …$/gm)).toHaveLength(9)
  expect(output).toMatch(
    /The limit "nobody" matches no host of inventory\/hosts\.ini\.\n +It has the hosts: boreas, zephyr\./,
  )
  expect(output).toMatch(
    /asks for 99 Pis, and at most \d+ can live here at once\.\n +99 Pis at 700 MiB of memory each take 69300 MiB/,
  )
  expect(project.leftovers()).toEqual([])
})
