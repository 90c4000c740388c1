using System.Security.Cryptography;
using System.Text;
using Kist.Enclaves.Signing;

namespace Kist.Enclaves.Runtime;

/// <summary>Where kist-rune keeps things on this host.</summary>
/// <param name="State">Its directory: /run/kist-rune, or beneath the user's runtime directory.</param>
/// <param name="Program">Path of the enclave host's program.</param>
public sealed record RuntimePlaces(string State, string Program)
{
    /// <summary>Names the state's directory; without it the usual one is taken.</summary>
    public const string Variable = "KIST_RUNE_STATE";

    /// <summary>The directory with the platform's sockets and secret.</summary>
    public string PlatformDirectory => Path.Combine(State, "platform");

    /// <summary>The cache of signed enclaves.</summary>
    public string SignedEnclaves => Path.Combine(State, "signed");

    /// <summary>The places for this user and this program.</summary>
    public static RuntimePlaces Default { get; } = new(
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } set ? Path.GetFullPath(set)
            : Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } runtime && Environment.UserName != "root" ? Path.Combine(runtime, "kist-rune")
            : "/run/kist-rune",
        Environment.ProcessPath!);

    /// <summary>The files of a container. Containers of different roots of the underlying runtime do not meet.</summary>
    /// <param name="root">The root that the caller named, or null.</param>
    /// <param name="id">The container's identifier.</param>
    public EnclaveContainer Container(string? root, string id)
    {
        var scope = root is null ? "default" : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(root))))[..16];
        return new EnclaveContainer(Path.Combine(State, "containers", scope, id));
    }

    /// <summary>This machine's development key, made when it is first needed.</summary>
    public EnclaveSigningKey LoadDevelopmentKey()
    {
        var path = Path.Combine(State, "development-key.pem");
        if (File.Exists(path))
            return EnclaveSigningKey.FromPem(File.ReadAllBytes(path));
        Directory.CreateDirectory(State);
        var key = EnclaveSigningKey.Generate();
        var temporary = $"{path}.{Environment.ProcessId}";
        var pem = key.ExportPem();
        using (var file = new FileStream(temporary, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
            file.Write(pem);
        }

        CryptographicOperations.ZeroMemory(pem);
        try
        {
            File.Move(temporary, path, overwrite: false);
            return key;
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another was faster; there is one key a machine.
            File.Delete(temporary);
            key.Dispose();
            return EnclaveSigningKey.FromPem(File.ReadAllBytes(path));
        }
    }
}
