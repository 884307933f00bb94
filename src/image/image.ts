/** Userland architectures by Debian's names. */
export type Architecture = 'arm64' | 'armhf' | 'armel'

/** A verified raw SD-card image in the cache: MBR, part 1 FAT32 (boot), part 2 ext4 (root). Immutable. */
export interface Image {
  /** What the user called it: `debian-12-arm64`. */
  name: string
  /** Names its content: equal ids, equal images. Hexadecimal, 64 digits. */
  id: string
  /** The raw file, sparse, a power of two in size. */
  path: string
  /** The size of that file, in bytes. */
  cardBytes: number
  architecture: Architecture
  /** The user that may log in with the cache's key and use sudo without a password. */
  user: string
  /** The private key that `user` accepts. */
  privateKeyFile: string
  /** The image's ssh host keys as in known_hosts, without the host: `ssh-ed25519 AAAA…`. */
  hostKeys: string[]
}
