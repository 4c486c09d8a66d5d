package devstack

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// devInfoFile is the name of the file in the data folder.
const devInfoFile = "dev.json"

// DevInfo tells other commands on the same machine where a running `waybill dev` listens. It contains
// secrets, so the file is readable by its owner only.
type DevInfo struct {
	APIURL          string `json:"api_url"`
	APIKey          string `json:"api_key"`
	TemporalAddress string `json:"temporal_address"`
	TemporalUIURL   string `json:"temporal_ui_url"`
	DatabaseURL     string `json:"database_url"`
}

// WriteDevInfo writes the file into the data folder, whole or not at all.
func WriteDevInfo(dir string, info DevInfo) error {
	content, err := json.MarshalIndent(info, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", devInfoFile, err)
	}
	return writeFileAtomic(filepath.Join(dir, devInfoFile), append(content, '\n'))
}

// ReadDevInfo reads what WriteDevInfo wrote. The error is fs.ErrNotExist where there is no such file, that is
// where nothing was ever started in the folder.
func ReadDevInfo(dir string) (DevInfo, error) {
	path := filepath.Join(dir, devInfoFile)
	content, err := os.ReadFile(path)
	if err != nil {
		return DevInfo{}, err
	}
	var info DevInfo
	if err := json.Unmarshal(content, &info); err != nil {
		return DevInfo{}, fmt.Errorf("%s: %w", path, err)
	}
	return info, nil
}

// writeFileAtomic writes a file of mode 0600, whole or not at all, also when the machine goes down.
func writeFileAtomic(path string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // after the rename there is nothing of that name
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(file.Name(), path)
}
