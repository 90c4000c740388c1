using System.Security.Cryptography;
using System.Text;
using Kist.Cli.Commands.Verify;
using Kist.Formats;

namespace Kist.Cli.Commands.Measure;

/// <summary>Reads a private key for signing.</summary>
static class EcKeyFile
{
    private const int MaximumSize = 64 << 10;

    public static ECDsa Read(string path)
    {
        var pem = EvidenceFiles.Read(path, MaximumSize);
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(Encoding.ASCII.GetString(pem));
            return key;
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            key.Dispose();
            throw new MalformedDataException("signing key", -1, $"{path} is no EC private key in PEM", e);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pem);
        }
    }
}
