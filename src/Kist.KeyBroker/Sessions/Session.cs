namespace Kist.KeyBroker.Sessions;

/// <summary>One handshake: begun by /auth, used up by the first /attest, and then the holder of its token.</summary>
/// <param name="Id">The cookie's value: a UUID version 4 without dashes.</param>
/// <param name="Tee">The TEE that the guest announced.</param>
/// <param name="Nonce">The nonce, as sent.</param>
/// <param name="Expires">From this moment on the session is unknown. It does not move.</param>
sealed record Session(string Id, string Tee, string Nonce, DateTimeOffset Expires);
