using System.Security.Cryptography;

namespace Kist.Cli.Commands.Sgx;

/// <summary>A small file with a secret, zeroed in memory when it is no longer needed.</summary>
sealed class SecretFile(FileInfo file) : IDisposable
{
    private readonly byte[] _bytes = SgxFiles.Read(file, SgxFiles.MaxKeyBytes);

    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>The content without the newline at its end.</summary>
    public ReadOnlySpan<byte> Line => Bytes.TrimEnd("\r\n"u8);

    public void Dispose() => CryptographicOperations.ZeroMemory(_bytes);
}
