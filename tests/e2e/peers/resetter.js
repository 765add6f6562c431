// Logs in until the server knows the session's secret, and resets the connection: so often, one after the other.
//
//   node resetter.js HOST PORT TIMES

const crypto = require('crypto')
const mc = require('minecraft-protocol')
const { say } = require('./ledger')

const [host, port, times] = process.argv.slice(2)

/** One connection; done when it is gone. */
function knock (number) {
  return new Promise(resolve => {
    const client = mc.createClient({ host, port: Number(port), version: '1.16.5', username: 'Knock' + number, auth: 'offline' })
    client.removeAllListeners('encryption_begin')
    client.once('encryption_begin', packet => {
      const key = crypto.createPublicKey({ key: packet.publicKey, format: 'der', type: 'spki' })
      const sealed = bytes => crypto.publicEncrypt({ key, padding: crypto.constants.RSA_PKCS1_PADDING }, bytes)
      client.write('encryption_begin', { sharedSecret: sealed(crypto.randomBytes(16)), verifyToken: sealed(packet.verifyToken) })
      setImmediate(() => client.socket.resetAndDestroy())
    })
    client.on('error', () => {})
    client.once('end', resolve)
  })
}

async function main () {
  for (let number = 0; number < Number(times); number++) await knock(number)
  say('done', { times: Number(times) })
  process.exit(0)
}

main()
