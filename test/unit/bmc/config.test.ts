import { expect, test } from 'vitest'
import { emulatorCommands, lanConf } from '../../../src/bmc/config.ts'

test('ipmi_sim is told of one administrator, on loopback only, with nothing weaker than MD5', () => {
  const config = lanConf({
    ...{ port: 9001, guid: '00112233445566778899aabbccddeeff', user: 'keeper', password: 'secret' },
    consolePort: 9003,
  })
  expect(config).toMatchInlineSnapshot(`
    "name "bmc"
    set_working_mc 0x20
    startlan 1
      addr 127.0.0.1 9001
      priv_limit admin
      allowed_auths_user md5
      allowed_auths_operator md5
      allowed_auths_admin md5
      guid 00112233445566778899aabbccddeeff
    endlan
    chassis_control "/bin/sh ./chassis.sh"
    sol "tcp:127.0.0.1:9003" 115200
    user 2 true "keeper" "secret" admin 10
    "
  `)
  expect(config).not.toMatch(/none|straight|md2|user 1 /)
})

test('the management controller is that of the configuration', () => {
  expect(emulatorCommands).toMatch(/^mc_setbmc 0x20\nmc_add 0x20 .*\n.*\nmc_enable 0x20\n$/)
})
