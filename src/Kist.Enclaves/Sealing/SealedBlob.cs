using System.Buffers.Binary;
using System.Security.Cryptography;
using Kist.Enclaves.Sgx;
using Kist.Formats;

namespace Kist.Enclaves.Sealing;

/// <summary>
/// Data that only this enclave, or its kin by the policy, can read again on this machine. The key is derived by EGETKEY
/// for every blob anew, from a random KEYID.
/// <code>
///   0    4  "KSB1"
///   4  512  KEYREQUEST
/// 516   12  nonce
/// 528   16  tag
/// 544    …  ciphertext: AES-128-GCM; bytes 0 to 515 and the caller's label are authenticated
/// </code>
/// </summary>
public static class SealedBlob
{
    /// <summary>Bytes that sealing adds.</summary>
    public const int Overhead = 4 + KeyRequest.SizeInBytes + NonceSize + TagSize;

    private const string Name = "sealed data";
    private const int NonceSize = 12;
    private const int TagSize = 16;
    private const int HeaderSize = 4 + KeyRequest.SizeInBytes;

    private static ReadOnlySpan<byte> Magic => "KSB1"u8;

    /// <summary>Seals data.</summary>
    /// <param name="data">The data.</param>
    /// <param name="label">What it is for; it must be the same when it is read. Not kept.</param>
    /// <param name="enclave">The enclave's control page.</param>
    /// <param name="policy">Who may read it: <see cref="KeyPolicy.MrEnclave"/> this enclave, <see cref="KeyPolicy.MrSigner"/> also newer versions.</param>
    /// <param name="key">EGETKEY.</param>
    public static byte[] Seal(ReadOnlySpan<byte> data, ReadOnlySpan<byte> label, Secs enclave, KeyPolicy policy, Func<KeyRequest, byte[]> key)
    {
        ArgumentNullException.ThrowIfNull(enclave);
        ArgumentNullException.ThrowIfNull(key);
        var request = new KeyRequest
        {
            KeyName = KeyName.Seal,
            KeyPolicy = policy,
            IsvSvn = enclave.IsvSvn,
            CpuSvn = new byte[16],
            AttributeMask = new SgxAttributes(EnclaveTraits.Init | EnclaveTraits.Debug | EnclaveTraits.Mode64Bit, 0),
            KeyId = RandomNumberGenerator.GetBytes(32),
            ConfigSvn = enclave.ConfigSvn,
        };
        var blob = new byte[Overhead + data.Length];
        Magic.CopyTo(blob);
        request.Bytes.CopyTo(blob.AsSpan(4));
        var nonce = blob.AsSpan(HeaderSize, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        using var gcm = Cipher(request, key);
        gcm.Encrypt(nonce, data, blob.AsSpan(Overhead), blob.AsSpan(HeaderSize + NonceSize, TagSize), Associated(blob, label));
        return blob;
    }

    /// <summary>Reads sealed data. The caller disposes the result.</summary>
    /// <exception cref="MalformedDataException">It is none.</exception>
    /// <exception cref="OperationFailedException">It was changed, or sealed by another enclave, on another machine, or for something else.</exception>
    public static SecretBytes Unseal(ReadOnlySpan<byte> blob, ReadOnlySpan<byte> label, Func<KeyRequest, byte[]> key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (blob.Length < Overhead || !blob.StartsWith(Magic))
            throw new MalformedDataException(Name, 0, "it does not begin like sealed data");
        var request = KeyRequest.Parse(blob.Slice(4, KeyRequest.SizeInBytes));
        if (request.KeyName != KeyName.Seal || (request.KeyPolicy & (KeyPolicy.MrEnclave | KeyPolicy.MrSigner)) == 0)
            throw new MalformedDataException(Name, 4, "its key is none that belongs to an enclave or a signer");
        var data = new SecretBytes(blob.Length - Overhead);
        try
        {
            using var gcm = Cipher(request, key);
            gcm.Decrypt(
                blob.Slice(HeaderSize, NonceSize), blob[Overhead..], blob.Slice(HeaderSize + NonceSize, TagSize), data.Span, Associated(blob, label));
            return data;
        }
        catch (AuthenticationTagMismatchException e)
        {
            data.Dispose();
            throw new OperationFailedException(
                "unseal", Name, "it was changed, or sealed by another enclave, on another machine, or for something else", inner: e);
        }
        catch
        {
            data.Dispose();
            throw;
        }
    }

    private static AesGcm Cipher(KeyRequest request, Func<KeyRequest, byte[]> key)
    {
        var derived = key(request);
        try
        {
            return new AesGcm(derived, TagSize);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(derived);
        }
    }

    private static byte[] Associated(ReadOnlySpan<byte> blob, ReadOnlySpan<byte> label)
    {
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, label.Length);
        return [.. blob[..HeaderSize], .. length, .. label];
    }
}
