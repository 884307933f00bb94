import { expect, test } from 'vitest'
import { outlineOf } from '../../../../src/ansible/coverage/outline.ts'

test('a playbook has the tasks of all its plays, in blocks too, at the lines that Ansible names', () => {
  const outline = outlineOf(`---
- import_playbook: other.yml
- hosts: web
  pre_tasks:
    # A comment before.
    - name: First

      debug:
  tasks:
    - block:
        - name: In a block
          vars: { port: !vault secret }
          action: command true
          when: a
      when: b
      rescue:
        - &anchor
          name: In rescue
          local_action: { module: debug }
      always:
        - block:
            - { name: Deep, debug: }
    - shell: true
      with_items: [1]
  handlers:
    - name: Handler
      listen: it
      service: { name: web, state: restarted }
`)
  expect(
    outline?.tasks.map(({ line, name, handler, conditional }) => [line, name, handler, conditional]),
  ).toEqual([
    [6, 'First', false, false],
    [11, 'In a block', false, true],
    [18, 'In rescue', false, false],
    [22, 'Deep', false, false],
    [23, 'shell', false, false],
    [26, 'Handler', true, false],
  ])
  expect(outline?.parts).toEqual([
    { line: 16, kind: 'rescue', tasks: [18] },
    { line: 20, kind: 'always', tasks: [22] },
  ])
  expect(outline?.conditions).toEqual([{ line: 10, tasks: [11] }])
})

test('what Ansible reports nothing of does not count', () => {
  const outline = outlineOf(
    '- import_tasks: a.yml\n- ansible.builtin.import_role: { name: a }\n- meta: flush_handlers\n- include_tasks: b.yml\n- name: A name alone\n',
    'tasks',
  )
  expect(outline?.tasks.map(({ name }) => name)).toEqual(['include_tasks'])
})

test('what is no playbook, or no YAML, has no outline', () => {
  for (const text of [
    'key: value\n',
    '- one\n- two\n',
    '- name: a task\n  debug:\n',
    '- "open\n',
    '',
    '{{ a }}: [',
  ])
    expect(outlineOf(text), text).toBeUndefined()
})
