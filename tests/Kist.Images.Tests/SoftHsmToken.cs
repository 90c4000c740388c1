using System.Security.Cryptography;
using Kist.Testing;

namespace Kist.Images.Tests;

/// <summary>A token of SoftHSM with one RSA key, in a directory of its own. Its configuration is given in key files only.</summary>
sealed class SoftHsmToken
{
    private const string Module = "/usr/lib/softhsm/libsofthsm2.so";

    private readonly TemporaryDirectory _directory;

    public SoftHsmToken(TemporaryDirectory directory)
    {
        ExternalProgram.Require("softhsm2-util");
        _directory = directory;
        Directory.CreateDirectory(directory["tokens"]);
        File.WriteAllText(directory["softhsm2.conf"], $"directories.tokendir = {directory["tokens"]}\nobjectstore.backend = file\nlog.level = ERROR\n");
        using var key = RSA.Create(2048);
        File.WriteAllText(directory["token-key.pem"], key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(PublicKey, key.ExportSubjectPublicKeyInfoPem());
        var environment = new Dictionary<string, string> { ["SOFTHSM2_CONF"] = directory["softhsm2.conf"] };
        ExternalProgram.Run("softhsm2-util", ["--init-token", "--free", "--label", "images", "--pin", "1234", "--so-pin", "5678"], environment);
        ExternalProgram.Run("softhsm2-util", ["--import", directory["token-key.pem"], "--token", "images", "--label", "wrap", "--id", "01", "--pin", "1234"], environment);
        File.Delete(directory["token-key.pem"]);
    }

    public string PublicKey => _directory["token-public.pem"];

    /// <summary>Writes a key file for this process, or with another module for another program.</summary>
    public string WriteKeyFile(string? module = null, string pin = "1234", string key = "object=wrap")
    {
        var path = _directory[$"key-{Guid.NewGuid():N}.yaml"];
        File.WriteAllText(path, $"""
            pkcs11:
              uri: pkcs11:token=images;{key}?module-path={module ?? Module}&pin-value={pin}
            module:
              env:
                SOFTHSM2_CONF: {_directory["softhsm2.conf"]}
            """);
        return path;
    }

    /// <summary>What skopeo needs besides: which modules it may load, and the one hash that SoftHSM has for OAEP.</summary>
    public IReadOnlyDictionary<string, string> EnvironmentFor(string module)
    {
        File.WriteAllText(_directory["ocicrypt.conf"], $"pkcs11:\n  module-directories:\n   - {Path.GetDirectoryName(module)}/\n  allowed-module-paths:\n   - {Path.GetDirectoryName(module)}/\n");
        return new Dictionary<string, string> { ["OCICRYPT_CONFIG"] = _directory["ocicrypt.conf"], ["OCICRYPT_OAEP_HASHALG"] = "sha1" };
    }
}
