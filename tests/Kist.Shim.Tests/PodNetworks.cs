namespace Kist.Shim.Tests;

/// <summary>Debian's CNI plugins, configured for pods that are linked to this machine, by both families of addresses.</summary>
static class PodNetworks
{
    public const string Plugins = "/usr/lib/cni", Gateway = "10.79.31.1", Prefix = "10.79.31.";

    public static string? Missing => File.Exists($"{Plugins}/ptp") ? null : "containernetworking-plugins is not installed";

    public static void Write(string folder)
    {
        Directory.CreateDirectory($"{folder}/cni");
        File.WriteAllText($"{folder}/cni/10-kist.conflist", $$"""
            {
              "cniVersion": "0.4.0", "name": "kist-test",
              "plugins": [{
                "type": "ptp", "mtu": 1410, "ipMasq": false,
                "ipam": {
                  "type": "host-local", "dataDir": "{{folder}}/cni-leases",
                  "ranges": [[{"subnet": "10.79.31.0/24", "gateway": "{{Gateway}}"}], [{"subnet": "fd79:31::/64"}]],
                  "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]
                }
              }]
            }
            """);
    }
}
