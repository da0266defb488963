// Server and client of the npm package ws, in one process on 127.0.0.1.
//
// usage: node websocket.mjs PACKAGE_FOLDER
//
// Prints {"port": N} of its server. Then, for each line {"case": NAME, "url": "ws://…"} of its
// input, runs a client through the proxy at that URL and prints {"failed": null}, or why. What both
// sides have seen is looked at here.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import readline from 'node:readline'
import { once } from 'node:events'
import { pathToFileURL } from 'node:url'

const { WebSocket, WebSocketServer } =
  await import(pathToFileURL(path.join(process.argv[2], 'wrapper.mjs')))

const MiB = 1024 * 1024
const most = 64 * MiB

// ---- the server: one path per behaviour; whoever connects is handed to the case that waits

const server = http.createServer((request, response) => response.writeHead(404).end('a page'))
const options = { noServer: true, maxPayload: most }
const plain = new WebSocketServer({
  ...options,
  handleProtocols: offered => (offered.has('second') ? 'second' : false)
})
const packed = new WebSocketServer({
  ...options,
  perMessageDeflate: { threshold: 0, zlibDeflateOptions: { level: 6 } }
})
const waiting = []
server.on('upgrade', (request, socket, head) => {
  if (request.url === '/refused') {
    socket.end('HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="chat"\r\n' +
      'Content-Length: 7\r\n\r\nnot you')
    return
  }
  const kind = request.url === '/packed' ? packed : plain
  kind.handleUpgrade(request, socket, head, peer => {
    peer.request = request
    if (request.url === '/echo') peer.on('message', (data, binary) => peer.send(data, { binary }))
    else waiting.shift()?.(peer)
  })
})

// ---- what cases are made of

const tls = {}
function dial (url, where, protocols, more = {}) {
  const client = new WebSocket(url + where, protocols,
    { maxPayload: most, perMessageDeflate: false, ...tls, ...more })
  client.on('error', () => {}) // those that wait for something else learn of its end
  return client
}

// Both ends of one connection.
async function pair (url, where = '/chat', protocols = [], more = {}) {
  const arrived = new Promise(resolve => waiting.push(resolve))
  const client = dial(url, where, protocols, more)
  await opened(client)
  return { client, peer: await arrived }
}

async function opened (client) {
  await new Promise((resolve, reject) => {
    client.once('open', resolve)
    client.once('close', code => reject(new Error(`no connection: ${code}`)))
  })
}

// The next `count` messages: [data, binary] of each.
function messages (socket, count = 1) {
  return new Promise((resolve, reject) => {
    const got = []
    const take = (data, binary) => {
      got.push([data, binary])
      if (got.length < count) return
      socket.off('message', take)
      resolve(got)
    }
    socket.on('message', take)
    socket.once('close', code => reject(new Error(`closed with ${code} before its message`)))
  })
}

const closed = async socket => {
  const [code, reason] = await once(socket, 'close')
  return [code, reason.toString()]
}

function bytes (size) {
  const data = Buffer.alloc(size)
  for (let i = 0; i < size; i++) data[i] = (i * 31 + (i >> 8)) & 255
  return data
}

// ---- the cases

const cases = {
  async subprotocols (url) {
    const { client, peer } = await pair(url, '/chat', ['first', 'second'])
    assert.equal(client.protocol, 'second')
    assert.equal(peer.protocol, 'second')
    assert.equal(peer.request.headers['sec-websocket-protocol'], 'first,second')
    client.close()
    const other = await pair(url, '/chat?q=1', 'third').catch(error => error)
    assert.ok(other instanceof Error) // the client wants one of its own, and got none
  },

  async fragments (url) {
    const { client, peer } = await pair(url)
    for (const [from, to] of [[client, peer], [peer, client]]) {
      const whole = messages(to, 2)
      from.send('one ', { fin: false })
      from.send('two ', { fin: false })
      from.ping('between')
      from.send('three', { fin: true })
      from.send('next')
      const [[first, binary], [second]] = await whole
      assert.deepEqual([first.toString(), binary, second.toString()],
        ['one two three', false, 'next'])
    }
    client.close()
  },

  async large (url) {
    const { client, peer } = await pair(url)
    const data = bytes(16 * MiB)
    for (const [from, to] of [[client, peer], [peer, client]]) {
      const whole = messages(to)
      from.send(data)
      const [[got, binary]] = await whole
      assert.ok(binary && got.equals(data))
    }
    client.close()
  },

  async binary (url) {
    const client = dial(url, '/echo')
    await opened(client)
    for (const size of [0, 1, 125, 126, 127, 65535, 65536, 300000]) {
      const back = messages(client)
      client.send(bytes(size))
      const [[got, binary]] = await back
      assert.ok(binary && got.equals(bytes(size)), `${size} bytes`)
    }
    client.close()
  },

  async text (url) {
    const client = dial(url, '/echo')
    await opened(client)
    for (const text of ['', 'x', 'Grüße, 世界, 🎉', '\u0000\r\n\r\n', 'ß'.repeat(70000)]) {
      const back = messages(client)
      client.send(text)
      const [[got, binary]] = await back
      assert.ok(!binary && got.toString() === text)
    }
    client.close()
  },

  async pings (url) {
    const { client, peer } = await pair(url)
    for (const [from, to] of [[client, peer], [peer, client]]) {
      const asked = once(to, 'ping')
      const answered = once(from, 'pong')
      from.ping('are you there')
      assert.equal((await asked)[0].toString(), 'are you there')
      assert.equal((await answered)[0].toString(), 'are you there')
    }
    client.close()
  },

  async closes (url) {
    for (const [code, reason] of [[1000, ''], [1001, 'going'], [1011, 'ü'], [4999, 'x'.repeat(123)]]) {
      for (const mine of ['client', 'peer']) {
        const both = await pair(url)
        const heard = Promise.all([closed(both.client), closed(both.peer)])
        both[mine].close(code, reason)
        assert.deepEqual(await heard, [[code, reason], [code, reason]])
      }
    }
  },

  // A FIN without a close frame: what the other side still says arrives.
  async halves (url) {
    for (const mine of ['client', 'peer']) {
      const both = await pair(url)
      const other = both[mine === 'client' ? 'peer' : 'client']
      other.on('message', data => other.send(`heard ${data}`))
      const answer = messages(both[mine])
      const ends = Promise.all([closed(both[mine]), closed(other)])
      both[mine].send('last words')
      both[mine]._socket.end()
      assert.equal((await answer)[0][0].toString(), 'heard last words')
      assert.deepEqual((await ends).map(([code]) => code), [1006, 1006])
    }
  },

  async ends (url) {
    for (const mine of ['client', 'peer']) {
      const both = await pair(url)
      const ends = Promise.all([closed(both.client), closed(both.peer)])
      both[mine].terminate()
      assert.deepEqual((await ends).map(([code]) => code), [1006, 1006])
    }
  },

  async many (url) {
    const clients = Array.from({ length: 200 }, () => dial(url, '/echo'))
    await Promise.all(clients.map(opened))
    await Promise.all(clients.map(async (client, number) => {
      const back = messages(client, 20)
      for (let i = 0; i < 20; i++) client.send(`${number}/${i}`)
      const got = (await back).map(([data]) => data.toString())
      assert.deepEqual(got, Array.from({ length: 20 }, (_, i) => `${number}/${i}`))
    }))
    for (const client of clients) client.close()
    await Promise.all(clients.map(closed))
  },

  // tunnel_idle is 1s: who says nothing is cut off, who pings is not.
  async idle (url) {
    const silent = await pair(url)
    const busy = await pair(url)
    const ends = Promise.all([closed(silent.client), closed(silent.peer)])
    const timer = setInterval(() => busy.client.ping(), 100)
    try {
      assert.deepEqual((await ends).map(([code]) => code), [1006, 1006])
      for (let i = 0; i < 10; i++) await once(busy.client, 'pong')
    } finally {
      clearInterval(timer)
    }
    const farewell = closed(busy.client)
    busy.client.close(1000)
    assert.equal((await farewell)[0], 1000)
  },

  async refused (url) {
    const client = dial(url, '/refused')
    const [, response] = await once(client, 'unexpected-response')
    assert.equal(response.statusCode, 401)
    assert.equal(response.headers['www-authenticate'], 'Basic realm="chat"')
    const body = []
    for await (const chunk of response) body.push(chunk)
    assert.equal(Buffer.concat(body).toString(), 'not you')
  },

  async compression (url) {
    const { client, peer } = await pair(url, '/packed', [], { perMessageDeflate: true })
    assert.match(client.extensions, /^permessage-deflate/)
    assert.match(peer.extensions, /^permessage-deflate/)
    const before = peer._socket.bytesRead
    const text = 'again and again. '.repeat(50000)
    for (const [from, to] of [[client, peer], [peer, client]]) {
      const whole = messages(to)
      from.send(text)
      assert.equal((await whole)[0][0].toString(), text)
    }
    assert.ok(peer._socket.bytesRead - before < text.length / 50)
    client.close()
  }
}

async function run ({ case: name, url, ca, scale }) {
  if (ca) {
    Object.assign(tls, {
      ca: readFileSync(ca), servername: 'site.test', headers: { host: 'site.test' }
    })
  }
  let timer
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('took too long')), 30000 * scale)
  })
  try {
    await Promise.race([cases[name](url), late])
    return null
  } catch (error) {
    return error.stack
  } finally {
    clearTimeout(timer)
  }
}

server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })))
for await (const line of readline.createInterface({ input: process.stdin })) {
  console.log(JSON.stringify({ failed: await run(JSON.parse(line)) }))
}
process.exit(0)
