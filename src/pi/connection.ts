/** How to reach a Pi by ssh, from any tool. */
export interface PiConnection {
  host: string
  port: number
  user: string
  privateKeyFile: string
  /** A known_hosts file that holds this Pi's host key and no other: check it strictly. */
  knownHostsFile: string
}
