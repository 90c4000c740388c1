namespace Kist.EndToEnd;

/// <summary>A root file system of Debian's static busybox.</summary>
static class BusyboxTree
{
    private static readonly string[] Applets =
        ["sh", "cat", "echo", "env", "id", "ls", "pwd", "sleep", "kill", "head", "tail", "dd", "wc", "true", "false", "test", "hostname", "mount", "touch", "seq", "yes", "stty", "tr", "grep", "nproc", "wget", "df", "stat", "cmp", "cp", "rm", "sync"];

    public static void Write(string root)
    {
        foreach (var folder in (string[])["bin", "etc", "tmp", "proc", "sys", "dev", "root", "home"])
            Directory.CreateDirectory(Path.Combine(root, folder));
        File.Copy("/bin/busybox", Path.Combine(root, "bin", "busybox"));
        foreach (var applet in Applets)
            File.CreateSymbolicLink(Path.Combine(root, "bin", applet), "busybox");
        File.WriteAllText(Path.Combine(root, "etc", "passwd"), "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home:/bin/sh\n");
        File.WriteAllText(Path.Combine(root, "etc", "group"), "root:x:0:\napp:x:1000:\n");
        File.WriteAllText(Path.Combine(root, "etc", "secret"), "a secret of the image\n");
        File.WriteAllText(Path.Combine(root, "bin", "not-a-program"), "no magic number\n");
    }
}
