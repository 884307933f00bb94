/** The texts of a guest's account files. */
export interface AccountFiles {
  passwd: string
  shadow: string
  group: string
}

/** An account, as its files have it afterwards. */
export interface Account {
  files: AccountFiles
  uid: number
  gid: number
  home: string
  /** The home directory that becomes this one; absent where it is there already, or is to be made. */
  movedFrom?: string
  /** What it was called before, where that is another name. */
  renamedFrom?: string
}

const firstUid = 1000

/**
 * Gives the guest the user `name`, to log in by key: the one of this name, else the first user under this name, as
 * Raspberry Pi OS renames it at its first boot, else a new one. Its shell is one, its password is none where it was
 * locked, and need not be changed.
 */
export function withAccount(name: string, { passwd, shadow, group }: AccountFiles): Account {
  const users = rows(passwd)
  const user = users.find(([login]) => login === name) ?? users.find((row) => Number(row[2]) === firstUid)
  if (!user) return newAccount(name, { passwd, shadow, group })
  const [old = '', , uid = '', gid = '', , oldHome = ''] = user
  const renamed = old !== name
  const home = renamed && oldHome === `/home/${old}` ? `/home/${name}` : oldHome
  const rename = (row: string[]) => row.map((field, index) => (index === 0 && field === old ? name : field))
  const files = {
    passwd: edited(passwd, old, (row) => {
      const shell = /(nologin|false)$/.test(row[6] ?? '') ? '/bin/bash' : (row[6] ?? '')
      return [name, ...row.slice(1, 5), home, shell]
    }),
    shadow: edited(shadow, old, (row) => [name, ...unlocked(row)]),
    group: lines(
      rows(group).map((row) => {
        const members = (row[3] ?? '').split(',').map((member) => (member === old ? name : member))
        return [...(row[2] === gid ? rename(row) : row).slice(0, 3), members.join(',')]
      }),
    ),
  }
  return {
    ...{ files, uid: Number(uid), gid: Number(gid), home },
    ...(home !== oldHome ? { movedFrom: oldHome } : {}),
    ...(renamed ? { renamedFrom: old } : {}),
  }
}

function newAccount(name: string, { passwd, shadow, group }: AccountFiles): Account {
  const home = `/home/${name}`
  return {
    files: {
      passwd: lines([
        ...rows(passwd),
        [name, 'x', String(firstUid), String(firstUid), '', home, '/bin/bash'],
      ]),
      shadow: lines([...rows(shadow), [name, ...unlocked([])]]),
      group: lines([...rows(group), [name, 'x', String(firstUid), '']]),
    },
    ...{ uid: firstUid, gid: firstUid, home },
  }
}

/** Renames a user where other files name it, as the owner of a line or as a member: gshadow(5), subuid(5). */
export function withRenamedUser(text: string, from: string, to: string): string {
  return text.replaceAll(new RegExp(`(?<=^|[:,])${from}(?=[:,]|$)`, 'gm'), to)
}

/**
 * What stands behind the name in shadow(5): `*` in place of a locked password, which sshd takes for a locked account
 * where PAM is off, and no date that asks for another one at the first login.
 */
function unlocked([, password = '', changed = '', ...rest]: string[]): string[] {
  const locked = password === '' || password.startsWith('!')
  const numbers = rest.length > 0 ? rest : ['0', '99999', '7', '', '', '']
  return [locked ? '*' : password, changed === '0' || changed === '' ? '19000' : changed, ...numbers]
}

const rows = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(':'))

const lines = (all: string[][]) => all.map((row) => `${row.join(':')}\n`).join('')

function edited(text: string, name: string, edit: (row: string[]) => string[]): string {
  const all = rows(text)
  const found = all.some(([login]) => login === name)
  return lines(all.map((row) => (row[0] === name ? edit(row) : row)).concat(found ? [] : [edit([name])]))
}
