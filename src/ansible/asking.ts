/**
 * What keeps Ansible's programs from wanting passwords, whatever the user's settings say: a test has nobody to ask, and a
 * Pi wants none.
 */
export const withoutPasswords = {
  ANSIBLE_ASK_PASS: 'False',
  ANSIBLE_BECOME_ASK_PASS: 'False',
  ANSIBLE_ASK_VAULT_PASS: 'False',
}

/**
 * The environment of a program of Ansible's whose answer is read here: `env`, with what keeps the user's settings from
 * changing the form of the answer.
 */
export function askingEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    ...env,
    // Leaves nothing beside a plugin or a script in Python.
    PYTHONDONTWRITEBYTECODE: '1',
    // Keeps a message in one line.
    COLUMNS: '10000',
    ...{ ANSIBLE_NOCOLOR: '1', ANSIBLE_FORCE_COLOR: '0' },
    // Both would put lines of their own before the answer.
    ...{ ANSIBLE_VERBOSITY: '0', ANSIBLE_DEBUG: '0' },
    // Else the variables of groups were left out of those of the hosts.
    ANSIBLE_INVENTORY_EXPORT: 'False',
    ...withoutPasswords,
  }
}
