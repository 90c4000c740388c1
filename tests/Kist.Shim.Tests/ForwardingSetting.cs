namespace Kist.Shim.Tests;

/// <summary>CNI plugins make the machine forward packets; afterwards it is as it was.</summary>
sealed class ForwardingSetting : IDisposable
{
    private static readonly string[] s_files = ["/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"];

    private readonly string[] _before = [.. s_files.Select(File.ReadAllText)];

    public void Dispose()
    {
        for (var i = 0; i < s_files.Length; i++)
        {
            if (File.ReadAllText(s_files[i]) != _before[i])
                File.WriteAllText(s_files[i], _before[i]);
        }
    }
}
