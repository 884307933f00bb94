// What a developer's shell may have and the tests are not about, taken away before there is any worker: servers on
// 127.0.0.1 are not reached through a proxy, and what is compared has no colours.
const proxies = ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'].flatMap((name) => [
  name,
  name.toUpperCase(),
])
for (const name of ['FORCE_COLOR', ...proxies]) delete process.env[name]
