using System.Security.Cryptography;

namespace Kist.Simulator.Crypto;

/// <summary>The sequence of candidates for k of RFC 6979, section 3.2, for an order as long as the hash.</summary>
sealed class Rfc6979Nonces : IDisposable
{
    private readonly HashAlgorithmName _hash;
    private byte[] _key;
    private byte[] _value;
    private bool _started;

    /// <param name="hash">The hash of the signature.</param>
    /// <param name="privateKey">int2octets(x).</param>
    /// <param name="digest">bits2octets(H(m)).</param>
    public Rfc6979Nonces(HashAlgorithmName hash, byte[] privateKey, byte[] digest)
    {
        _hash = hash;
        _value = Enumerable.Repeat((byte)1, privateKey.Length).ToArray();
        _key = new byte[privateKey.Length];
        _key = Mac([.. _value, 0, .. privateKey, .. digest]);
        _value = Mac(_value);
        _key = Mac([.. _value, 1, .. privateKey, .. digest]);
        _value = Mac(_value);
    }

    public byte[] Next()
    {
        if (_started)
        {
            _key = Mac([.. _value, 0]);
            _value = Mac(_value);
        }

        _started = true;
        _value = Mac(_value);
        return _value;
    }

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_key);
        CryptographicOperations.ZeroMemory(_value);
    }

    private byte[] Mac(byte[] data) => CryptographicOperations.HmacData(_hash, _key, data);
}
