import { fileURLToPath } from 'node:url'
import type { OwnImage } from '../engine/docker/images.ts'

/** What Ansible runs in, where the user names nothing else. */
export const imageForAnsible: OwnImage = {
  name: 'vitest-raspi/ansible:1',
  containerfile: fileURLToPath(new URL('./ansible.Containerfile', import.meta.url)),
  otherwise:
    'Without a registry, name an image that the engine has: ansible: { container: NAME }. It needs ansible-core, python3 and ssh.',
}
