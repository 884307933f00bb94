/** The Ethernet address at `at`, as `b8:27:eb:00:00:01`. The caller has looked that it is there. */
export function macAt(bytes: Buffer, at: number): string {
  return bytes.toString('hex', at, at + 6).replace(/..(?=.)/g, '$&:')
}

/** The IPv4 address at `at`. The caller has looked that it is there. */
export function ipv4At(bytes: Buffer, at: number): string {
  return bytes.subarray(at, at + 4).join('.')
}

/** The IPv6 address at `at`, in its short form. The caller has looked that it is there. */
export function ipv6At(bytes: Buffer, at: number): string {
  return shortIpv6(bytes.toString('hex', at, at + 16).replace(/.{4}(?=.)/g, '$&:'))
}

/** An IPv6 address in the form of RFC 5952, which is that of URLs: https://url.spec.whatwg.org/#concept-ipv6-serializer */
export function shortIpv6(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1)
}
