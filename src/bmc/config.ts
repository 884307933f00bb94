/** What ipmi_sim is configured by. */
export interface SimConfig {
  /** UDP port on 127.0.0.1. */
  port: number
  /** 16 bytes in hex. Without one there is no IPMI 2.0. */
  guid: string
  /** At most 15 ASCII characters, as IPMI has 16 bytes for a name. */
  user: string
  /** At most 15 ASCII characters: IPMI 1.5 has 16 bytes for a password. */
  password: string
  /** TCP port on 127.0.0.1 of the serial console. */
  consolePort: number
}

/** The files of a BMC by their names in its directory, which is where ipmi_sim runs. */
export const simFiles = {
  config: 'lan.conf',
  commands: 'bmc.emu',
  script: 'chassis.sh',
  requests: 'requests',
  power: 'power',
  lost: 'lost',
  boot: 'boot',
} as const

/**
 * ipmi_sim's configuration, https://manpages.debian.org/stable/openipmi/ipmi_lan.5.en.html. There is no anonymous user,
 * and in IPMI 1.5 nothing but MD5. Paths are relative, as the user it runs as may not search the directories above.
 */
export function lanConf({ port, guid, user, password, consolePort }: SimConfig): string {
  return `name "bmc"
set_working_mc 0x20
startlan 1
  addr 127.0.0.1 ${port}
  priv_limit admin
  allowed_auths_user md5
  allowed_auths_operator md5
  allowed_auths_admin md5
  guid ${guid}
endlan
chassis_control "/bin/sh ./${simFiles.script}"
sol "tcp:127.0.0.1:${consolePort}" 115200
user 2 true "${user}" "${password}" admin 10
`
}

/** What ipmi_sim does first: it makes the one management controller, with a log of 1,000 events. */
export const emulatorCommands = `mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02
sel_enable 0x20 1000 0x0a
mc_enable 0x20
`

/**
 * What ipmi_sim runs to ask (`get power`) and to switch (`set power 1`). It stands still meanwhile and gets each request
 * of a waiting client anew every second, so the script has builtins only and waits for nobody: it answers from a file that is
 * kept up to date, and leaves what is to be done in a FIFO, which it opens both ways, because that never blocks. Of a lost
 * Pi it fails then, for whoever asks to be answered so: why is in the log.
 */
export const chassisScript = `case $1 in
  get) read -r value <"./$2" && [ "$value" ] && echo "$2:$value" ;;
  set) echo "$2 $3" 1<>./${simFiles.requests} && read -r lost <./${simFiles.lost} && { [ "$2" = boot ] || [ ! "$lost" ]; } ;;
  *) exit 2 ;;
esac
`
