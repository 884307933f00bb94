/** Whether the system suite's Pis are QEMU's board `virt` instead: `VITEST_RASPI_TEST_BOARD=virt npm run test:system`. */
export const onVirt = process.env.VITEST_RASPI_TEST_BOARD === 'virt'
