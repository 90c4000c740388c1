using System.Security.Cryptography;
using Kist.Pods.Guest;

namespace Kist.EndToEnd;

/// <summary>A copy of the guest image with one thing changed and a manifest that agrees with the change.</summary>
sealed class TamperedGuest : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kist-e2e-guest-").FullName;

    private TamperedGuest(string original)
    {
        foreach (var file in Directory.EnumerateFiles(original))
            File.Copy(file, Path.Combine(_folder, Path.GetFileName(file)));
    }

    public GuestImage Image => GuestImage.Load(_folder);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Another command line.</summary>
    public static TamperedGuest WithCommandLine(string original, string added)
    {
        var guest = new TamperedGuest(original);
        guest.Rewrite(m => m with { CommandLine = $"{m.CommandLine} {added}" });
        return guest;
    }

    /// <summary>An initrd with bytes behind its end, which boots as before.</summary>
    public static TamperedGuest WithLongerInitrd(string original)
    {
        var guest = new TamperedGuest(original);
        guest.Rewrite(m => m with { Initrd = guest.Change(m.Initrd, bytes => [.. bytes, .. new byte[512]]) });
        return guest;
    }

    /// <summary>A kernel whose version text differs by a letter, which boots as before.</summary>
    public static TamperedGuest WithOtherKernel(string original)
    {
        var guest = new TamperedGuest(original);
        guest.Rewrite(m => m with { Kernel = guest.Change(m.Kernel, ChangeVersionText) });
        return guest;
    }

    /// <summary>The setup header's kernel_version (boot protocol 2.00, offset 0x20e) points at text that only people read.</summary>
    private static byte[] ChangeVersionText(byte[] kernel)
    {
        var offset = BitConverter.ToUInt16(kernel, 0x20e) + 0x200;
        Assert.InRange(kernel[offset], (byte)'0', (byte)'9');
        kernel[offset + 1] ^= 1;
        return kernel;
    }

    private GuestOutput Change(GuestOutput output, Func<byte[], byte[]> change)
    {
        var path = Path.Combine(_folder, output.File);
        var bytes = change(File.ReadAllBytes(path));
        File.WriteAllBytes(path, bytes);
        return output with { Size = bytes.Length, Sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes)) };
    }

    private void Rewrite(Func<GuestManifest, GuestManifest> change)
    {
        var path = Path.Combine(_folder, "manifest.json");
        File.WriteAllBytes(path, change(GuestManifest.Parse(File.ReadAllBytes(path))).ToJson());
    }
}
