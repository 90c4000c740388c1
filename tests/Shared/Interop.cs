namespace Kist.Testing;

/// <summary>Programs that eng/interop.sh fetches: newer builds than Debian 12's. Tests skip where they are missing.</summary>
public static class Interop
{
    private static readonly string? s_directory = Find();

    public static string Skopeo => Require("skopeo");

    public static string Cosign => Require("cosign");

    /// <summary>cosign 3, which signs images by bundles.</summary>
    public static string Cosign3 => Require("cosign3");

    /// <summary>OpenSSL 3.5, which has hybrid key exchange with ML-KEM.</summary>
    public static string OpenSsl35 => Require("openssl35");

    /// <summary>The folder of those programs' libraries and of their loader.</summary>
    public static string Libraries => Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(OpenSsl35))!, "root/usr/lib/x86_64-linux-gnu");

    /// <summary>SoftHSM for those programs, which have other libraries than this process.</summary>
    public static string SoftHsm => Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(Skopeo))!, "root/usr/lib/softhsm/libsofthsm2.so");

    private static string Require(string program)
    {
        var path = s_directory is null ? null : Path.Combine(s_directory, program);
        Assert.SkipUnless(File.Exists(path), $"{program} of a newer Debian is not there: run eng/interop.sh");
        return path!;
    }

    private static string? Find()
    {
        for (var directory = AppContext.BaseDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            if (File.Exists(Path.Combine(directory, "Kist.slnx")))
                return Path.Combine(directory, "artifacts/interop/bin");
        }

        return null;
    }
}
