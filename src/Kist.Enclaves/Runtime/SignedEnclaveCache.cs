using System.Security.Cryptography;
using Kist.Enclaves.Signing;
using Kist.Formats;

namespace Kist.Enclaves.Runtime;

/// <summary>
/// Keeps the measurements and signatures of enclaves, so that starting the same application again neither measures nor
/// asks the signer. Never enclaves themselves: each is measured again by the platform, and initialised for one container.
/// An entry that is not exactly what was written is removed, and made anew; one that a thief of the cache's key forged
/// could only keep its enclave from starting, since the platform measures by itself.
/// </summary>
/// <param name="directory">Its directory, made when it is needed, for this user alone.</param>
/// <param name="time">The clock, for entries' ages.</param>
/// <param name="note">Is told of entries that were not what they should be.</param>
sealed class SignedEnclaveCache(string directory, TimeProvider time, Action<string> note)
{
    /// <summary>Entries beyond this many are removed, those first that were not used the longest.</summary>
    public const int MaxEntries = 256;

    private const string Suffix = ".enclave", NewSuffix = ".new", KeyName = "key";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Entries that were not used for so long are removed.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromDays(30);

    private static readonly TimeSpan s_abandoned = TimeSpan.FromHours(1);

    /// <summary>The signed enclave of an application, from the cache or made now.</summary>
    /// <param name="program">The enclave host's program.</param>
    /// <param name="manifest">The manifest's bytes.</param>
    /// <param name="template">What is signed, but for the measurement.</param>
    /// <param name="signer">Signs, if it must be made.</param>
    /// <param name="measure">Measures, if it must be made.</param>
    public SignedEnclave GetOrAdd(ReadOnlySpan<byte> program, ReadOnlySpan<byte> manifest, SigstructFields template, ISigstructSigner signer, Func<byte[]> measure)
    {
        var identity = SignedEnclave.IdentityOf(program, manifest, template, signer.Modulus);
        var path = Path.Combine(directory, Convert.ToHexStringLower(identity) + Suffix);
        using var key = LoadKey();
        if (Find(path, identity, signer.Modulus, key.Span) is { } found)
            return found;
        var measurement = measure();
        var made = new SignedEnclave(measurement, SigstructComposer.Sign(template with { EnclaveHash = measurement }, signer));
        Write(path, made.ToBytes(identity, key.Span));
        Collect();
        return made;
    }

    private SignedEnclave? Find(string path, byte[] identity, ReadOnlySpan<byte> modulus, ReadOnlySpan<byte> key)
    {
        try
        {
            var entry = SignedEnclave.Parse(ReadAll(path, SignedEnclave.SizeAtRest), identity, modulus, key);
            File.SetLastWriteTimeUtc(path, time.GetUtcNow().UtcDateTime);
            return entry;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is MalformedDataException or IOException or UnauthorizedAccessException)
        {
            note($"the cache's {Path.GetFileName(path)} is not used, and made anew: {e.Message}");
            return null;
        }
    }

    /// <summary>A key of the cache's own, made when it is first needed. Whoever makes it at the same time keeps the first.</summary>
    private SecretBytes LoadKey()
    {
        Directory.CreateDirectory(directory, OwnerOnly | UnixFileMode.UserExecute);
        var path = Path.Combine(directory, KeyName);
        if (!File.Exists(path))
        {
            using var made = SecretBytes.Random(HMACSHA256.HashSizeInBytes);
            var temporary = NewName(path);
            WriteNew(temporary, made.Span);
            try
            {
                File.Move(temporary, path, overwrite: false);
            }
            catch (IOException) when (File.Exists(path))
            {
                File.Delete(temporary);
            }
        }

        var bytes = ReadAll(path, HMACSHA256.HashSizeInBytes);
        try
        {
            return bytes.Length == HMACSHA256.HashSizeInBytes
                ? SecretBytes.CopyOf(bytes) : throw new MalformedDataException(path, -1, $"{bytes.Length} bytes, not {HMACSHA256.HashSizeInBytes}");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    private static void Write(string path, byte[] bytes)
    {
        var temporary = NewName(path);
        WriteNew(temporary, bytes);
        File.Move(temporary, path, overwrite: true);
    }

    private static void WriteNew(string path, ReadOnlySpan<byte> bytes)
    {
        using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly });
        file.Write(bytes);
    }

    private static string NewName(string path) => $"{path}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}{NewSuffix}";

    /// <summary>At most one byte more than the limit, by which too long a file shows.</summary>
    private static byte[] ReadAll(string path, int limit)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        var bytes = new byte[limit + 1];
        return bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
    }

    /// <summary>Removes what was not used for long, what is too much, and what writers that were killed left.</summary>
    private void Collect()
    {
        var now = time.GetUtcNow().UtcDateTime;
        var files = new DirectoryInfo(directory).GetFiles();
        var entries = files.Where(f => f.Name.EndsWith(Suffix, StringComparison.Ordinal)).OrderByDescending(f => f.LastWriteTimeUtc);
        foreach (var file in entries.Where((f, i) => i >= MaxEntries || now - f.LastWriteTimeUtc > MaxAge))
            file.Delete();
        foreach (var file in files.Where(f => f.Name.EndsWith(NewSuffix, StringComparison.Ordinal) && now - f.LastWriteTimeUtc > s_abandoned))
            file.Delete();
    }
}
